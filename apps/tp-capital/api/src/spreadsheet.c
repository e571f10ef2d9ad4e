#include "spreadsheet.h"

#include "base/number.h"
#include "base/zone.h"

struct words {
    const char *head;
    const char *buy, *sell, *unknown;
    const char *yes, *no;
    const char *date; /* for strftime */
};

static const struct words words_of[] = {
    [SPREADSHEET_PT_BR] =
        {.head = "DATA;CANAL;TIPO;ATIVO;PRAZO;COMPRA MIN;COMPRA MAX;ALVO 1;ALVO 2;ALVO FINAL;STOP;"
                 "Completo;Recebida;Mensagem original",
         .buy = "COMPRA",
         .sell = "VENDA",
         .unknown = "MENSAGEM",
         .yes = "sim",
         .no = "não",
         .date = "%d/%m/%Y %H:%M:%S"},
    [SPREADSHEET_EN] =
        {.head = "DATE;CHANNEL;SIDE;ASSET;HORIZON;ENTRY MIN;ENTRY MAX;TARGET 1;TARGET 2;FINAL TARGET;STOP;"
                 "Complete;Received;Original message",
         .buy = "BUY",
         .sell = "SELL",
         .unknown = "MESSAGE",
         .yes = "yes",
         .no = "no",
         .date = "%m/%d/%Y %H:%M:%S"},
};

void spreadsheet_put_head(struct ts_buf *out, enum spreadsheet_language language)
{
    ts_buf_cstr(out, "\xEF\xBB\xBF");
    ts_buf_cstr(out, words_of[language].head);
    ts_buf_cstr(out, "\r\n");
}

static bool has_one_of(ts_str text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] && strchr(set, text.ptr[i]))
            return true;
    return false;
}

void spreadsheet_put_text(struct ts_buf *out, ts_str text)
{
    const bool is_formula = text.len > 0 && has_one_of((ts_str){text.ptr, 1}, "=+-@\t\r");
    const bool is_quoted = has_one_of(text, "\";\r\n");

    if (is_quoted)
        ts_buf_char(out, '"');
    if (is_formula)
        ts_buf_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            ts_buf_char(out, '"');
        ts_buf_char(out, text.ptr[i]);
    }
    if (is_quoted)
        ts_buf_char(out, '"');
}

/* Two decimals at least, and every one that the price has. */
void spreadsheet_put_price(struct ts_buf *out, int64_t price_e6)
{
    char decimals[8];
    size_t len = 6;

    if (price_e6 == 0)
        return;
    snprintf(decimals, sizeof(decimals), "%06lld", (long long)(price_e6 % TS_E6));
    while (len > 2 && decimals[len - 1] == '0')
        len--;
    ts_buf_i64(out, price_e6 / TS_E6);
    ts_buf_char(out, ',');
    ts_buf_bytes(out, decimals, len);
}

static void put_time(struct ts_buf *out, const struct words *words, int64_t time_us)
{
    char text[40];
    const struct tm tm = ts_zone_local(time_us);
    size_t len = strftime(text, sizeof(text), words->date, &tm);
    ts_buf_bytes(out, text, len);
}

static const char *side_of(const struct words *words, ts_str signal_type)
{
    if (ts_str_eq(signal_type, TS_STR("BUY")))
        return words->buy;
    return ts_str_eq(signal_type, TS_STR("SELL")) ? words->sell : words->unknown;
}

static void next_cell(struct ts_buf *out)
{
    ts_buf_char(out, ';');
}

static void put_prices(struct ts_buf *out, const struct store_signal *row)
{
    const int64_t prices_e6[] = {row->buy_min_e6,  row->buy_max_e6,      row->target_1_e6,
                                 row->target_2_e6, row->target_final_e6, row->stop_e6};
    for (size_t i = 0; i < TS_ARRAY_LEN(prices_e6); i++) {
        next_cell(out);
        spreadsheet_put_price(out, prices_e6[i]);
    }
}

void spreadsheet_put_row(struct ts_buf *out, enum spreadsheet_language language,
                         const struct store_signal *row)
{
    const struct words *words = &words_of[language];

    put_time(out, words, row->ts_us);
    next_cell(out);
    spreadsheet_put_text(out, row->channel);
    next_cell(out);
    ts_buf_cstr(out, side_of(words, row->signal_type));
    next_cell(out);
    spreadsheet_put_text(out, row->asset);
    next_cell(out);
    spreadsheet_put_text(out, row->trade_type);
    put_prices(out, row);
    next_cell(out);
    ts_buf_cstr(out, row->complete ? words->yes : words->no);
    next_cell(out);
    put_time(out, words, row->ingested_at_us);
    next_cell(out);
    spreadsheet_put_text(out, row->raw_message);
    ts_buf_cstr(out, "\r\n");
}
