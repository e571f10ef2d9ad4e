/* Any bytes as a file that moves in: reading ends, and what is accepted as a row keeps the rules of its table. The first byte says which. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "transfer_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

struct check {
    const struct transfer_layout *layout;
    struct ts_arena *arena;
    int64_t line;
};

static void check_value(const struct transfer_column *column, const struct ts_db_value *value)
{
    if (value->type != TS_DB_TEXT) {
        require(value->type != TS_DB_PRICE || value->i64 > 0);
        return;
    }
    bool given = column->type == TRANSFER_TEXT && column->use == TRANSFER_BOTH;
    require(ts_utf8_valid(value->str) && !ts_str_has_nul(value->str));
    require(!given || value->str.len <= column->max || value->str.len <= 64); /* or a default of ours */
}

static int on_record(const struct transfer_record *record, void *ctx)
{
    struct check *check = ctx;
    struct ts_db_value row[TRANSFER_MAX_COLUMNS], params[TRANSFER_MAX_COLUMNS];
    require(record->line >= check->line);
    check->line = record->line;
    ts_arena_reset(check->arena);
    if (record->problem || transfer_read_row(check->layout, record, 1000000, check->arena, row))
        return 0;
    for (size_t i = 0; i < check->layout->n; i++)
        check_value(&check->layout->columns[i], &row[i]);
    require(transfer_params(check->layout, row, params) <= check->layout->n);
    if (check->layout->table == TRANSFER_SIGNALS) {
        bool unknown = ts_str_eq(row[SIGNAL_TYPE].str, TS_STR("UNKNOWN"));
        require(unknown || row[SIGNAL_ASSET].type == TS_DB_TEXT);
        require(row[SIGNAL_BUY_MIN].type == row[SIGNAL_BUY_MAX].type);
        require(row[SIGNAL_BUY_MIN].type == TS_DB_NULL || row[SIGNAL_BUY_MIN].i64 <= row[SIGNAL_BUY_MAX].i64);
        require(row[SIGNAL_TS].type == TS_DB_TIME && row[SIGNAL_RAW_MESSAGE].type == TS_DB_TEXT);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tables[] = {"signals", "forwarded_messages", "channels", "bots"};
    if (size < 2)
        return 0;
    FILE *in = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
    struct check check = {.layout = transfer_find_layout(tables[data[0] % 4]),
                          .arena = ts_arena_new(8 * TRANSFER_MAX_BYTES),
                          .line = 1};
    require(in && check.arena);
    int r = transfer_read(in, check.layout, on_record, &check);
    require(r <= 0);
    fclose(in);
    ts_arena_free(check.arena);
    return 0;
}
