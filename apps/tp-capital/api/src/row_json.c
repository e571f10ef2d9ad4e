#include "row_json.h"

#include <stdio.h>

#include "base/number.h"

static void put_price(struct ts_jsonw *w, const char *key, int64_t price_e6)
{
    ts_jsonw_key(w, key);
    if (price_e6)
        ts_jsonw_e6(w, price_e6);
    else
        ts_jsonw_null(w);
}

static void put_price_if(struct ts_jsonw *w, const char *key, bool present, int64_t price_e6)
{
    put_price(w, key, present ? price_e6 : 0);
}

/* The next price of "32.1,33". */
static bool next_price(ts_str *rest, int64_t *ret_e6)
{
    ts_str piece;
    while (ts_str_split(rest, ',', &piece))
        if (ts_parse_e6(piece, ret_e6) == 0)
            return true;
    return false;
}

size_t row_take_profit(const struct store_signal *row, int64_t *prices_e6, size_t max)
{
    ts_str rest =
        row->take_profit.len < 2 ? TS_STR("") : (ts_str){row->take_profit.ptr + 1, row->take_profit.len - 2};
    size_t n = 0;
    while (n < max && next_price(&rest, &prices_e6[n]))
        n++;
    return n;
}

/* "{32.1,33}" becomes [32.1,33]. */
static void put_take_profit(struct ts_jsonw *w, ts_str list)
{
    int64_t price_e6;
    ts_jsonw_key(w, "take_profit");
    if (list.len < 2) {
        ts_jsonw_null(w);
        return;
    }
    ts_str rest = {list.ptr + 1, list.len - 2};
    ts_jsonw_array(w);
    while (next_price(&rest, &price_e6))
        ts_jsonw_e6(w, price_e6);
    ts_jsonw_end(w);
}

static void put_channel_id(struct ts_jsonw *w, const struct store_signal *row)
{
    char digits[32];
    int n = row->has_channel_id ? snprintf(digits, sizeof(digits), "%lld", (long long)row->channel_id) : 0;
    ts_jsonw_key_str(w, "channel_id", n > 0 ? (ts_str){digits, (size_t)n} : TS_STR_NONE);
}

static void put_message_id(struct ts_jsonw *w, const struct store_signal *row)
{
    ts_jsonw_key(w, "message_id");
    if (row->has_message_id)
        ts_jsonw_id(w, row->message_id);
    else
        ts_jsonw_null(w);
}

void row_json_ids(struct ts_jsonw *w, const struct store_signal *row)
{
    put_channel_id(w, row);
    put_message_id(w, row);
}

void row_json_signal(struct ts_jsonw *w, const struct store_signal *row)
{
    ts_jsonw_object(w);
    ts_jsonw_key_id(w, "id", row->id);
    ts_jsonw_key_i64(w, "seq", row->seq);
    ts_jsonw_key_id(w, "revision", row->revision);
    ts_jsonw_key_bool(w, "changed", row->revision != MESSAGE_ORIGINAL);
    ts_jsonw_key_time(w, "ts", row->ts_us);
    ts_jsonw_key_str(w, "channel", row->channel);
    row_json_ids(w, row);
    ts_jsonw_key_str(w, "asset", row->asset);
    ts_jsonw_key_str(w, "signal_type", row->signal_type);
    ts_jsonw_key_str(w, "trade_type", row->trade_type);
    put_price(w, "price", row->buy_min_e6);
    put_price(w, "buy_min", row->buy_min_e6);
    put_price(w, "buy_max", row->buy_max_e6);
    put_price(w, "target_1", row->target_1_e6);
    put_price(w, "target_2", row->target_2_e6);
    put_price(w, "target_final", row->target_final_e6);
    put_take_profit(w, row->take_profit);
    put_price(w, "stop", row->stop_e6);
    put_price(w, "stop_loss", row->stop_e6);
    ts_jsonw_key_bool(w, "complete", row->complete);
    ts_jsonw_key_str(w, "raw_message", row->raw_message);
    ts_jsonw_key_str(w, "source", row->source);
    ts_jsonw_key_time(w, "ingested_at", row->ingested_at_us);
    ts_jsonw_end(w);
}

void row_json_reading(struct ts_jsonw *w, const struct store_signal *row)
{
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "asset", row->asset);
    ts_jsonw_key_str(w, "signal_type", row->signal_type);
    ts_jsonw_key_str(w, "trade_type", row->trade_type);
    put_price(w, "price", row->buy_min_e6);
    put_price(w, "buy_min", row->buy_min_e6);
    put_price(w, "buy_max", row->buy_max_e6);
    put_price(w, "stop_loss", row->stop_e6);
    put_take_profit(w, row->take_profit);
    put_price(w, "target_1", row->target_1_e6);
    put_price(w, "target_2", row->target_2_e6);
    put_price(w, "target_final", row->target_final_e6);
    ts_jsonw_key_bool(w, "complete", row->complete);
    ts_jsonw_end(w);
}

void row_json_parsed(struct ts_jsonw *w, const struct signal *s)
{
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "asset", *s->asset ? ts_str_from(s->asset) : TS_STR_NONE);
    ts_jsonw_key_str(w, "signal_type", ts_str_from(signal_type_name(s->signal_type)));
    ts_jsonw_key_str(w, "trade_type", ts_str_from(signal_trade_type_name(s->trade_type)));
    put_price_if(w, "price", s->has_entry, s->buy_min_e6);
    put_price_if(w, "buy_min", s->has_entry, s->buy_min_e6);
    put_price_if(w, "buy_max", s->has_entry, s->buy_max_e6);
    put_price_if(w, "stop_loss", s->has_stop, s->stop_loss_e6);
    ts_jsonw_key(w, "take_profit");
    if (s->take_profit_count == 0) {
        ts_jsonw_null(w);
    } else {
        ts_jsonw_array(w);
        for (uint32_t i = 0; i < s->take_profit_count; i++)
            ts_jsonw_e6(w, s->take_profit_e6[i]);
        ts_jsonw_end(w);
    }
    put_price_if(w, "target_1", s->has_target_1, s->target_1_e6);
    put_price_if(w, "target_2", s->has_target_2, s->target_2_e6);
    put_price_if(w, "target_final", s->has_target_final, s->target_final_e6);
    ts_jsonw_key_bool(w, "complete", s->complete);
    ts_jsonw_end(w);
}

void row_json_explanation(struct ts_jsonw *w, ts_str text, const struct signal_explanation *e)
{
    ts_jsonw_object(w);
    ts_jsonw_key_str(w, "rule", ts_str_from(signal_rule_name(e->rule)));
    ts_jsonw_key_str(w, "direction", ts_str_from(signal_direction_source_name(e->direction)));
    ts_jsonw_key(w, "spans");
    ts_jsonw_array(w);
    for (uint32_t i = 0; i < e->span_count; i++) {
        const struct signal_span *span = &e->spans[i];
        ts_jsonw_object(w);
        ts_jsonw_key_str(w, "field", ts_str_from(signal_field_name(span->field)));
        ts_jsonw_key_i64(w, "start", span->at.start);
        ts_jsonw_key_i64(w, "end", span->at.end);
        ts_jsonw_key_str(w, "text", (ts_str){text.ptr + span->at.start, span->at.end - span->at.start});
        ts_jsonw_end(w);
    }
    ts_jsonw_end(w);
    ts_jsonw_end(w);
}
