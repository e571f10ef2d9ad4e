#include "unit.h"

#include <errno.h>

#include "base/error.h"
#include "base/limits.h"
#include "http/json.h"

struct unit unit_of_row(const struct store_row *row)
{
    return (struct unit){
        .key = row->key,
        .letter = {.body = row->payload, .request_id = row->request_id, .traceparent = row->traceparent},
        .refs = &row->ref,
        .n_refs = 1,
        .queued_at_us = row->queued_at_us,
    };
}

/* --- an album: which rows, under which key ------------------------------------------------------------------------------------ */

static bool waits(const struct store_row *row)
{
    return row->state != OUTBOX_ACKNOWLEDGED;
}

static bool is_new(const struct store_row *row)
{
    return waits(row) && row->sent_as == 0;
}

static const struct store_row *find_row(const struct store_page *album, int64_t row_id)
{
    for (size_t i = 0; i < album->n; i++) {
        if (album->rows[i].ref.id == row_id)
            return &album->rows[i];
    }
    return NULL;
}

int64_t unit_album_ready_us(const struct store_page *album, int64_t row_id)
{
    const struct store_row *in_hand = find_row(album, row_id);
    int64_t newest_us = 0;
    if (!in_hand || !is_new(in_hand)) /* its letter is fixed: nothing to wait for */
        return 0;
    for (size_t i = 0; i < album->n; i++) {
        if (is_new(&album->rows[i]))
            newest_us = TS_MAX(newest_us, album->rows[i].queued_at_us);
    }
    return newest_us + ALBUM_QUIET_US;
}

/* Rows behind `up_to` came later and are not in the letter. Row numbers are the order of reception, and a mark takes every row there was. */
struct plan {
    int64_t up_to;
    int64_t sent_as;  /* 0: for the first time */
    int64_t revision; /* of the last letter */
    int64_t seen;     /* the last marked row; 0: none */
    bool again;       /* the last letter itself is sent once more */
};

static int64_t last_of_letter(const struct store_page *album, const struct store_row *marked)
{
    int64_t last = 0;
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *row = &album->rows[i];
        if (row->sent_as == marked->sent_as && row->sent_revision == marked->sent_revision)
            last = TS_MAX(last, row->ref.id);
    }
    return last;
}

/* When a later letter was stored already, this row was in that one too, and that one is what is sent once more. */
static struct plan plan_again(const struct store_page *album, const struct store_row *in_hand)
{
    const struct store_row *marked = in_hand;
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *row = &album->rows[i];
        if (!waits(row) && row->sent_as != 0 && row->ref.id > marked->ref.id)
            marked = row;
    }
    return (struct plan){.up_to = last_of_letter(album, marked),
                         .sent_as = marked->sent_as,
                         .revision = marked->sent_revision,
                         .again = true};
}

/* A row that was acknowledged without a mark is one whose acknowledgement was imported. */
static struct plan plan_new(const struct store_page *album)
{
    struct plan plan = {0};
    int64_t lowest = 0;
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *row = &album->rows[i];
        plan.up_to = TS_MAX(plan.up_to, row->ref.id);
        if (!waits(row) && lowest == 0)
            lowest = row->key.message_id;
        if (row->sent_as != 0 && row->ref.id > plan.seen) {
            plan.seen = row->ref.id;
            plan.sent_as = row->sent_as;
            plan.revision = row->sent_revision;
        }
    }
    if (plan.sent_as == 0)
        plan.sent_as = lowest;
    return plan;
}

/* --- its parts ---------------------------------------------------------------------------------------------------------------- */

static int read_part(const struct store_row *row, struct ts_arena *arena, struct message *ret)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    const char *field;
    int r = ts_json_parse_object(row->payload, TS_MAX_JSON_DEPTH, &json);
    if (r == 0)
        r = message_from_json(json, arena, ret, &field);
    return r == 0 || r == -ENOMEM ? r : TS_E_JSON;
}

/* Rows are ordered by message id and revision. NULL: the part came later. */
static const struct store_row *newest_version(const struct store_page *album, size_t from, int64_t up_to)
{
    const struct store_row *newest = NULL;
    int64_t id = album->rows[from].key.message_id;
    for (size_t i = from; i < album->n && album->rows[i].key.message_id == id; i++) {
        if (album->rows[i].ref.id <= up_to)
            newest = &album->rows[i];
    }
    return newest;
}

/* The parts that are left; when all are deleted, the first of them alone, which says so. */
static int read_parts(const struct store_page *album, int64_t up_to, struct ts_arena *arena,
                      struct message *parts, size_t *ret_n)
{
    const struct store_row *deleted = NULL;
    size_t n = 0;
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *newest;
        int r;
        if (i > 0 && album->rows[i - 1].key.message_id == album->rows[i].key.message_id)
            continue;
        if (!(newest = newest_version(album, i, up_to)))
            continue;
        if (newest->key.revision == MESSAGE_DELETED) {
            deleted = deleted ? deleted : newest;
            continue;
        }
        if ((r = read_part(newest, arena, &parts[n])) != 0)
            return r;
        n++;
    }
    if (n == 0 && !deleted) /* all parts came later */
        return TS_E_NOT_FOUND;
    *ret_n = n > 0 ? n : 1;
    return n > 0 ? 0 : read_part(deleted, arena, &parts[0]);
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------- */

static int64_t revision_of_new(const struct store_page *album, const struct plan *plan,
                               const struct message *whole)
{
    int64_t edited_ms = 0, came_ms = 0;
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *row = &album->rows[i];
        if (!is_new(row))
            continue;
        if (row->key.revision != MESSAGE_DELETED)
            edited_ms = TS_MAX(edited_ms, row->key.revision);
        came_ms = TS_MAX(came_ms, row->queued_at_us / TS_US_PER_MS);
    }
    if (plan->sent_as == 0)
        return edited_ms;
    /* A part that came late is an edit of the whole. */
    return TS_MAX(TS_MAX(edited_ms, came_ms), TS_MAX(whole->timestamp_us / TS_US_PER_MS, plan->revision) + 1);
}

static void set_key(const struct store_page *album, struct plan *plan, struct message *whole)
{
    if (!plan->again && !whole->deleted && plan->revision == MESSAGE_DELETED)
        plan->sent_as = 0; /* the whole is gone for good: what comes now is another message */
    if (plan->sent_as != 0)
        whole->message_id = plan->sent_as;
    whole->deleted = whole->deleted || (plan->again && plan->revision == MESSAGE_DELETED);
    if (whole->deleted)
        return;
    whole->edited_at_us = TS_US_PER_MS * (plan->again ? plan->revision : revision_of_new(album, plan, whole));
}

static int set_refs(const struct store_page *album, int64_t up_to, struct ts_arena *arena, struct unit *unit)
{
    struct store_ref *refs = TS_ARENA_ARRAY(arena, album->n, struct store_ref);
    if (!refs)
        return -ENOMEM;
    for (size_t i = 0; i < album->n; i++) {
        if (waits(&album->rows[i]) && album->rows[i].ref.id <= up_to)
            refs[unit->n_refs++] = album->rows[i].ref;
    }
    unit->refs = refs;
    return 0;
}

static int set_mark(const struct store_page *album, const struct plan *plan, struct ts_arena *arena,
                    struct unit *unit)
{
    struct store_send_as *mark = TS_ARENA_NEW(arena, struct store_send_as);
    ts_str name = album->rows[0].album;
    if (!mark)
        return -ENOMEM;
    *mark = (struct store_send_as){.key = unit->key, .up_to = plan->up_to, .seen = plan->seen};
    memcpy(mark->album, name.ptr, TS_MIN(name.len, sizeof mark->album - 1));
    unit->mark = mark;
    return 0;
}

static int write_letter(const struct message *whole, struct ts_arena *arena, ts_str *ret)
{
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    message_write_json(&body, whole);
    return ts_buf_error(&body) ? -ENOMEM : ts_arena_dup(arena, ts_buf_view(&body), ret);
}

static int fill(const struct store_page *album, struct plan *plan, struct ts_arena *arena, struct unit *unit)
{
    struct message *parts = TS_ARENA_ARRAY(arena, album->n, struct message), whole;
    size_t n = 0;
    int r;
    if (!parts)
        return -ENOMEM;
    if ((r = read_parts(album, plan->up_to, arena, parts, &n)) != 0 ||
        (r = message_merge(parts, n, arena, &whole)) != 0)
        return r;
    set_key(album, plan, &whole);
    unit->key = message_key(&whole);
    if ((r = write_letter(&whole, arena, &unit->letter.body)) != 0 ||
        (r = set_refs(album, plan->up_to, arena, unit)) != 0)
        return r;
    return plan->again ? 0 : set_mark(album, plan, arena, unit);
}

int unit_of_album(const struct store_page *album, int64_t row_id, struct ts_arena *arena, struct unit *ret)
{
    const struct store_row *in_hand = find_row(album, row_id);
    struct unit unit = {0};
    struct plan plan;
    int r;
    if (!in_hand || !waits(in_hand))
        return TS_E_NOT_FOUND;
    plan = is_new(in_hand) ? plan_new(album) : plan_again(album, in_hand);
    unit.letter.request_id = in_hand->request_id;
    unit.letter.traceparent = in_hand->traceparent;
    unit.queued_at_us = in_hand->queued_at_us;
    if ((r = fill(album, &plan, arena, &unit)) != 0)
        return r;
    *ret = unit;
    return 0;
}
