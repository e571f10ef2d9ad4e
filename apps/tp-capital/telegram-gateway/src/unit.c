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

static bool waits(const struct store_row *row)
{
    return row->state != OUTBOX_ACKNOWLEDGED;
}

int64_t unit_album_ready_us(const struct store_page *album)
{
    int64_t newest_us = 0;
    for (size_t i = 0; i < album->n; i++) {
        if (waits(&album->rows[i]))
            newest_us = TS_MAX(newest_us, album->rows[i].queued_at_us);
    }
    return newest_us == 0 ? 0 : newest_us + ALBUM_QUIET_US;
}

/* What is known about the whole before it is put together. */
struct survey {
    size_t n_waiting;
    const struct store_row *first_waiting;
    int64_t published_id;   /* lowest id among acknowledged parts; 0: never published */
    int64_t edited_at_us;   /* of the newest waiting version that is an edit; 0: none */
    int64_t newest_part_us; /* when the newest waiting part came */
};

static struct survey look_over(const struct store_page *album)
{
    struct survey s = {0};
    for (size_t i = 0; i < album->n; i++) {
        const struct store_row *row = &album->rows[i];
        if (!waits(row)) {
            s.published_id =
                s.published_id ? TS_MIN(s.published_id, row->key.message_id) : row->key.message_id;
            continue;
        }
        if (s.n_waiting++ == 0)
            s.first_waiting = row;
        s.edited_at_us = TS_MAX(s.edited_at_us, row->key.revision * TS_US_PER_MS);
        s.newest_part_us = TS_MAX(s.newest_part_us, row->queued_at_us);
    }
    return s;
}

static int read_part(const struct store_row *row, struct ts_arena *arena, struct message *ret)
{
    _cleanup_(ts_json_freep) json_t *json = NULL;
    const char *field;
    int r = ts_json_parse_object(row->payload, TS_MAX_JSON_DEPTH, &json);
    if (r == 0)
        r = message_from_json(json, arena, ret, &field);
    return r == 0 || r == -ENOMEM ? r : TS_E_JSON;
}

/* Rows are ordered by message id and revision, so the last row of an id is its newest version. */
static int read_newest_parts(const struct store_page *album, struct ts_arena *arena, struct message *parts,
                             size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < album->n; i++) {
        bool newest = i + 1 == album->n || album->rows[i + 1].key.message_id != album->rows[i].key.message_id;
        int r = newest ? read_part(&album->rows[i], arena, &parts[n]) : 0;
        if (r != 0)
            return r;
        n += newest;
    }
    *ret_n = n;
    return 0;
}

static int refs_of(const struct store_page *album, struct ts_arena *arena, size_t n,
                   const struct store_ref **ret)
{
    struct store_ref *refs = TS_ARENA_ARRAY(arena, n, struct store_ref);
    size_t used = 0;
    if (!refs)
        return -ENOMEM;
    for (size_t i = 0; i < album->n; i++) {
        if (waits(&album->rows[i]))
            refs[used++] = album->rows[i].ref;
    }
    *ret = refs;
    return 0;
}

static void set_version(struct message *whole, const struct survey *s)
{
    if (s->published_id != 0)
        whole->message_id = s->published_id;
    whole->edited_at_us = s->edited_at_us;
    if (s->published_id != 0) { /* a part that came late is an edit of the whole */
        int64_t came_us = s->newest_part_us / TS_US_PER_MS * TS_US_PER_MS;
        whole->edited_at_us = TS_MAX(TS_MAX(s->edited_at_us, came_us), whole->timestamp_us + TS_US_PER_MS);
    }
}

static int write_letter(const struct message *whole, struct ts_arena *arena, ts_str *ret)
{
    _cleanup_(ts_buf_done) struct ts_buf body = TS_BUF_INIT(MESSAGE_MAX_JSON_BYTES);
    message_write_json(&body, whole);
    return ts_buf_error(&body) ? -ENOMEM : ts_arena_dup(arena, ts_buf_view(&body), ret);
}

int unit_of_album(const struct store_page *album, struct ts_arena *arena, struct unit *ret)
{
    struct survey s = look_over(album);
    struct message *parts, whole;
    struct unit unit = {0};
    size_t n = 0;
    int r;
    if (s.n_waiting == 0)
        return TS_E_NOT_FOUND;
    if (!(parts = TS_ARENA_ARRAY(arena, album->n, struct message)))
        return -ENOMEM;
    if ((r = read_newest_parts(album, arena, parts, &n)) != 0 ||
        (r = message_merge(parts, n, arena, &whole)) != 0)
        return r;
    set_version(&whole, &s);
    unit.key = message_key(&whole);
    unit.letter.request_id = s.first_waiting->request_id;
    unit.letter.traceparent = s.first_waiting->traceparent;
    unit.n_refs = s.n_waiting;
    unit.queued_at_us = s.first_waiting->queued_at_us;
    if ((r = refs_of(album, arena, s.n_waiting, &unit.refs)) != 0 ||
        (r = write_letter(&whole, arena, &unit.letter.body)) != 0)
        return r;
    *ret = unit;
    return 0;
}
