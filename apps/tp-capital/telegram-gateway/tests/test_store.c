/* The SQL on a real SQLite file. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "cmocka_all.h"
#include "http/json.h"
#include "journal.h"
#include "queue_file.h"
#include "store.h"
#include "testing/process.h"
#include "unit.h"

#define CHANNEL     INT64_C(-1001234567890)
#define ARENA_BYTES ((size_t)8 * 1024 * 1024)

struct fixture {
    char dir[TS_TEST_PATH_SIZE], path[TS_TEST_PATH_SIZE];
    struct ts_db *db;
    struct ts_arena *arena;
    struct store store;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    ts_test_dir_make(f->dir);
    ts_test_path(f->dir, "outbox.db", f->path);
    f->arena = ts_arena_new(ARENA_BYTES);
    *state = f;
    return journal_open_db(f->path, NULL, &f->db);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ts_db_close(f->db);
    ts_arena_free(f->arena);
    ts_test_dir_remove(f->dir);
    free(f);
    return 0;
}

static struct message message(int64_t id, const char *text)
{
    return (struct message){.channel_id = CHANNEL,
                            .message_id = id,
                            .text = ts_str_from(text),
                            .timestamp_us = 1700000000 * TS_US_PER_S};
}

static struct store_op append_op(const struct message *m)
{
    struct store_op op = {.type = STORE_APPEND};
    op.append.message = *m;
    op.append.content = message_content(m);
    op.append.queued_at_us = 1;
    strcpy(op.append.request_id, "r");
    strcpy(op.append.traceparent, "t");
    return op;
}

static int apply_one(struct fixture *f, struct store_op *op)
{
    struct ts_writer_op *ops[] = {&op->op};
    return store_apply(&f->store, f->db, ops, 1);
}

/* True when it made a row. */
static bool put(struct fixture *f, struct message m)
{
    struct store_op op = append_op(&m);
    assert_int_equal(apply_one(f, &op), 0);
    return !op.append.duplicate;
}

static struct store_page pending(struct fixture *f, int64_t after_id, size_t max)
{
    struct store_page page;
    assert_int_equal(store_load_pending(f->db, CHANNEL, after_id, max, f->arena, &page), 0);
    return page;
}

static void acknowledge(struct fixture *f, struct store_ref ref, int64_t at_us)
{
    struct store_op op = {.type = STORE_ACKNOWLEDGE, .acknowledge = {.ref = ref, .at_us = at_us}};
    assert_int_equal(apply_one(f, &op), 0);
    assert_true(op.changed);
}

static void fail_row(struct fixture *f, struct store_ref ref, enum outbox_reason reason, int64_t at_us,
                     const char *detail, const char *version)
{
    struct store_op op = {.type = STORE_FAIL,
                          .fail = {.ref = ref, .reason = reason, .attempts = 4, .at_us = at_us}};
    strcpy(op.fail.detail, detail);
    strcpy(op.fail.api_version, version);
    assert_int_equal(apply_one(f, &op), 0);
    assert_true(op.changed);
}

static void test_append_then_pending_in_order_and_paged(void **state)
{
    struct fixture *f = *state;
    struct store_page page;
    for (int i = 1; i <= 5; i++)
        assert_true(put(f, message(i, "m")));
    page = pending(f, 0, 3);
    assert_int_equal(page.n, 3);
    assert_true(page.more);
    assert_int_equal(page.rows[0].key.message_id, 1);
    page = pending(f, page.rows[2].ref.id, 3);
    assert_int_equal(page.n, 2);
    assert_false(page.more);
    assert_int_equal(page.rows[1].key.message_id, 5);
    assert_true(ts_str_starts_with(page.rows[1].payload,
                                   TS_STR("{\"channelId\":\"-1001234567890\",\"messageId\":\"5\"")));
    assert_int_equal(page.rows[1].ref.bytes, page.rows[1].payload.len);
}

static void test_append_when_known_then_duplicate(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, message(1, "first")));
    assert_false(put(f, message(1, "first")));
    assert_false(put(f, message(1, "an original can't change")));
    acknowledge(f, pending(f, 0, 10).rows[0].ref, 1);
    assert_false(put(f, message(1, "first"))); /* acknowledged is known too */
}

static struct message edit(int64_t id, const char *text, int64_t at_ms)
{
    struct message m = message(id, text);
    m.edited_at_us = at_ms * TS_US_PER_MS;
    return m;
}

static void test_edits_then_a_revision_each_unless_equal(void **state)
{
    struct fixture *f = *state;
    const int64_t at = 1700000005000;
    assert_true(put(f, message(1, "a")));
    assert_false(put(f, edit(1, "a", at))); /* says nothing new */
    assert_true(put(f, edit(1, "b", at)));
    assert_false(put(f, edit(1, "b", at))); /* came again */
    assert_true(put(f, edit(1, "c", at)));  /* a second edit in the same second */
    assert_true(put(f, edit(1, "d", at)));  /* and a third */
    assert_false(put(f, edit(1, "b", at)));
    assert_false(put(f, edit(1, "c", at)));
    assert_false(put(f, edit(1, "d", at)));
    assert_false(put(f, edit(1, "d", at + 9000))); /* equal to the version before it */
    assert_true(put(f, edit(1, "a", at + 9000)));  /* back to the first text: that is a change */
    struct store_page page = pending(f, 0, 10);
    assert_int_equal(page.n, 5);
    assert_int_equal(page.rows[1].key.revision, at);
    assert_int_equal(page.rows[2].key.revision, at + 1);
    assert_int_equal(page.rows[3].key.revision, at + 2);
    assert_true(ts_str_find(page.rows[2].payload, TS_STR("\"editedAt\":\"2023-11-14T22:13:25.001Z\"")) > 0);
}

static void test_deletion_then_one_revision_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct message gone = message(1, "");
    gone.deleted = true;
    assert_true(put(f, message(1, "a")));
    assert_true(put(f, gone));
    assert_false(put(f, gone));
}

static void test_acknowledge_then_forgotten_but_for_its_key(void **state)
{
    struct fixture *f = *state;
    struct outbox_usage usage;
    put(f, message(1, "a"));
    put(f, message(2, "b"));
    struct store_ref ref = pending(f, 0, 10).rows[0].ref;
    acknowledge(f, ref, 1);
    struct store_op again = {.type = STORE_ACKNOWLEDGE, .acknowledge = {.ref = ref, .at_us = 1}};
    assert_int_equal(apply_one(f, &again), 0);
    assert_false(again.changed);
    assert_int_equal(pending(f, 0, 10).n, 1);
    assert_int_equal(store_usage(f->db, &usage), 0);
    assert_int_equal(usage.pending, 1);
    assert_int_equal(usage.bytes, pending(f, 0, 10).rows[0].payload.len);
}

static size_t failed_rows(struct fixture *f, const struct store_failed_query *query)
{
    struct store_page page;
    assert_int_equal(store_load_failed(f->db, query, 100, f->arena, &page), 0);
    return page.n;
}

static void test_failed_then_taken_by_the_rules_of_replay(void **state)
{
    struct fixture *f = *state;
    struct store_page page;
    struct store_failed_query query = {
        .failed_before_us = 1000, .after_failed_at_us = INT64_MIN, .api_version = "", .hourly_before_us = 50};
    for (int i = 1; i <= 5; i++)
        put(f, message(i, "m"));
    page = pending(f, 0, 10);
    fail_row(f, page.rows[0].ref, REASON_TIMEOUT, 100, "", "");
    fail_row(f, page.rows[1].ref, REASON_AUTH, 90, "", "");
    fail_row(f, page.rows[2].ref, REASON_REJECTED, 80, "Invalid field: text", "1.0.0");
    fail_row(f, page.rows[3].ref, REASON_REJECTED, 70, "Invalid field: timestamp", "1.0.0");
    fail_row(f, page.rows[4].ref, REASON_SERVER_ERROR, 2000, "", ""); /* failed in this round */
    assert_int_equal(pending(f, 0, 10).n, 0);
    assert_int_equal(store_load_failed(f->db, &query, 100, f->arena, &page), 0);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.rows[0].key.message_id, 2); /* the oldest mark first */
    assert_int_equal(page.rows[1].attempts, 4);
    query.hourly_before_us = 75;
    assert_int_equal(failed_rows(f, &query), 3);
    query.hourly_before_us = 50;
    query.api_version = "1.0.0";
    assert_int_equal(failed_rows(f, &query), 2);
    query.api_version = "1.1.0";
    assert_int_equal(failed_rows(f, &query), 4);
    query.api_version = "";
    query.all_rejected = true;
    assert_int_equal(failed_rows(f, &query), 4);
    query.after_failed_at_us = 90;
    query.after_id = 2;
    assert_int_equal(failed_rows(f, &query), 1);
}

static void test_prune_then_old_and_surplus_acknowledged_rows_go(void **state)
{
    struct fixture *f = *state;
    struct store_op op = {.type = STORE_PRUNE, .prune = {.before_us = 30, .keep_rows = 100, .max_rows = 10}};
    for (int i = 1; i <= 6; i++)
        put(f, message(i, "m"));
    struct store_page page = pending(f, 0, 10);
    for (int i = 0; i < 5; i++)
        acknowledge(f, page.rows[i].ref, (i + 1) * 10);
    assert_int_equal(apply_one(f, &op), 0);
    assert_int_equal(op.prune.removed, 2);
    op.prune = (struct store_prune){.before_us = 0, .keep_rows = 1, .max_rows = 10};
    assert_int_equal(apply_one(f, &op), 0);
    assert_int_equal(op.prune.removed, 2);
    assert_int_equal(pending(f, 0, 10).n, 1); /* never what is not acknowledged */
}

static void test_refusing_then_appends_wait_and_marks_go_on(void **state)
{
    struct fixture *f = *state;
    put(f, message(1, "a"));
    struct store_op mark = {.type = STORE_ACKNOWLEDGE, .acknowledge = {.ref = pending(f, 0, 1).rows[0].ref}};
    struct message late = message(2, "b");
    struct store_op append = append_op(&late);
    struct ts_writer_op *ops[] = {&append.op, &mark.op};
    atomic_store(&f->store.refuses_appends, true);
    assert_int_equal(store_apply(&f->store, f->db, ops, 2), 0);
    assert_true(append.refused);
    assert_true(mark.changed);
    assert_int_equal(pending(f, 0, 10).n, 0);
    atomic_store(&f->store.refuses_appends, false);
    assert_int_equal(apply_one(f, &append), 0);
    assert_false(append.refused);
    assert_int_equal(pending(f, 0, 10).n, 1);
}

static int keep_last_seen(int64_t channel_id, int64_t last_message_id, void *ctx)
{
    assert_int_equal(channel_id, CHANNEL);
    *(int64_t *)ctx = last_message_id;
    return 0;
}

static void test_last_seen_then_the_highest_id(void **state)
{
    struct fixture *f = *state;
    int64_t last = 0;
    put(f, message(7, "a"));
    put(f, message(3, "b"));
    assert_int_equal(store_last_seen(f->db, keep_last_seen, &last), 0);
    assert_int_equal(last, 7);
}

/* --- albums --- */

static struct message part(int64_t id, const char *caption)
{
    struct message m = message(id, "");
    m.caption = caption ? ts_str_from(caption) : TS_STR_NONE;
    m.album = TS_STR("g1");
    return m;
}

static struct store_page album(struct fixture *f)
{
    struct store_page page;
    assert_int_equal(store_load_album(f->db, CHANNEL, TS_STR("g1"), f->arena, &page), 0);
    return page;
}

/* The letter that a row goes with; its rows are marked as they are before it is sent. */
static struct unit letter_of(struct fixture *f, int64_t row_id)
{
    struct unit unit;
    struct store_page page = album(f);
    assert_int_equal(unit_of_album(&page, row_id, f->arena, &unit), 0);
    if (unit.mark) {
        struct store_op op = {.type = STORE_SEND_AS, .send_as = *unit.mark};
        assert_int_equal(apply_one(f, &op), 0);
        assert_true(op.changed);
    }
    return unit;
}

static int64_t last_row(struct fixture *f)
{
    int64_t last = 0;
    struct store_page page = album(f);
    for (size_t i = 0; i < page.n; i++)
        last = TS_MAX(last, page.rows[i].ref.id);
    return last;
}

static void acknowledge_unit(struct fixture *f, const struct unit *unit, int64_t at_us)
{
    for (size_t i = 0; i < unit->n_refs; i++)
        acknowledge(f, unit->refs[i], at_us);
}

static bool says(const struct unit *unit, const char *text)
{
    return ts_str_find(unit->letter.body, ts_str_from(text)) >= 0;
}

static struct message gone(int64_t id)
{
    struct message m = part(id, NULL);
    m.deleted = true;
    return m;
}

static void test_album_then_one_letter_under_the_lowest_id(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, NULL));
    put(f, part(11, "COMPRA PETR4"));
    put(f, part(13, NULL));
    struct store_page page = album(f);
    assert_int_equal(unit_album_ready_us(&page, page.rows[0].ref.id), 1 + ALBUM_QUIET_US);
    struct unit unit = letter_of(f, 1);
    assert_int_equal(unit.key.message_id, 11);
    assert_int_equal(unit.key.revision, 0);
    assert_int_equal(unit.n_refs, 3);
    assert_true(says(&unit, "\"caption\":\"COMPRA PETR4\""));
}

static void test_album_when_a_part_comes_before_the_acknowledgement_then_it_is_in_no_old_letter(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, "a"));
    put(f, part(13, "b"));
    struct unit first = letter_of(f, 1);
    put(f, part(11, "late")); /* the answer to the first letter is not known, or not noted yet */
    struct unit again = letter_of(f, 2);
    assert_null(again.mark);
    assert_int_equal(again.n_refs, 2);
    assert_true(ts_str_eq(again.letter.body, first.letter.body));
    struct store_page page = album(f);
    assert_int_equal(unit_album_ready_us(&page, 1), 0);
    struct unit late = letter_of(f, last_row(f));
    assert_int_equal(late.key.message_id, 12);
    assert_true(late.key.revision > 0);
    assert_true(says(&late, "late\\na\\nb"));
    struct unit late_again = letter_of(f, last_row(f));
    assert_true(ts_str_eq(late_again.letter.body, late.letter.body));
    again = letter_of(f, 1); /* a replay of the first, while the second is under way */
    assert_true(ts_str_eq(again.letter.body, first.letter.body));
}

static void test_album_when_two_make_a_letter_then_one_of_them_looks_again(void **state)
{
    struct fixture *f = *state;
    struct unit slow, fast;
    put(f, part(12, "a"));
    struct store_page page = album(f);
    assert_int_equal(unit_of_album(&page, 1, f->arena, &slow), 0);
    put(f, part(13, "b"));
    fast = letter_of(f, 2);
    assert_int_equal(fast.n_refs, 2);
    struct store_op op = {.type = STORE_SEND_AS, .send_as = *slow.mark};
    assert_int_equal(apply_one(f, &op), 0);
    assert_false(op.changed);
    slow = letter_of(f, 1);
    assert_true(ts_str_eq(slow.letter.body, fast.letter.body));
}

static void test_album_when_the_later_letter_is_stored_then_the_earlier_is_not_made_anew(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, "a"));
    letter_of(f, 1);
    put(f, part(13, "b"));
    struct unit later = letter_of(f, 2);
    assert_int_equal(later.n_refs, 2);
    acknowledge(f, later.refs[1], 5); /* a crash before the other acknowledgement */
    struct unit again = letter_of(f, 1);
    assert_null(again.mark);
    assert_int_equal(again.n_refs, 1);
    assert_true(ts_str_eq(again.letter.body, later.letter.body));
}

static void test_album_when_a_part_comes_late_then_a_revision_with_all_parts(void **state)
{
    struct fixture *f = *state;
    struct unit unit = {0};
    put(f, part(12, "a"));
    put(f, part(13, "b"));
    unit = letter_of(f, 1);
    acknowledge_unit(f, &unit, 5);
    struct store_page page = album(f);
    assert_int_equal(unit_of_album(&page, 1, f->arena, &unit), TS_E_NOT_FOUND);
    put(f, part(11, "late")); /* even below: the message keeps the id under which it is known */
    unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 12);
    assert_true(unit.key.revision > 0);
    assert_int_equal(unit.n_refs, 1);
    assert_true(says(&unit, "late\\na\\nb"));
    acknowledge_unit(f, &unit, 6);
    put(f, part(14, "later"));
    struct unit next = letter_of(f, last_row(f));
    assert_int_equal(next.key.message_id, 12); /* and goes on doing so */
    assert_true(next.key.revision > unit.key.revision);
}

static void test_album_when_a_part_is_edited_then_its_newest_version_counts(void **state)
{
    struct fixture *f = *state;
    struct message changed = part(12, "new");
    changed.edited_at_us = (1700000009 * TS_US_PER_S);
    put(f, part(12, "old"));
    put(f, part(13, NULL));
    put(f, changed);
    struct unit unit = letter_of(f, 1);
    assert_int_equal(unit.n_refs, 3);
    assert_int_equal(unit.key.revision, INT64_C(1700000009000));
    assert_true(says(&unit, "\"caption\":\"new\""));
}

static void test_album_when_edited_hundreds_of_times_then_the_last_edit_is_sent(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, "first"));
    put(f, part(13, NULL));
    for (int i = 1; i <= 300; i++) {
        char text[32];
        struct message changed;
        struct unit unit = letter_of(f, last_row(f));
        acknowledge_unit(f, &unit, i);
        snprintf(text, sizeof text, "edit %d", i);
        changed = part(12, text);
        changed.edited_at_us = (1700000000 + i) * TS_US_PER_S;
        put(f, changed);
        ts_arena_reset(f->arena);
    }
    struct unit unit = letter_of(f, last_row(f));
    assert_int_equal(unit.n_refs, 1);
    assert_true(says(&unit, "\"caption\":\"edit 300\""));
}

static void test_album_when_too_large_for_a_page_then_an_error(void **state)
{
    struct fixture *f = *state;
    struct store_page page;
    struct ts_arena *small = ts_arena_new((STORE_MAX_ALBUM_ROWS + 8) * sizeof(struct store_row));
    for (int i = 1; i <= 40; i++)
        put(f, part(i, "a caption that takes some room in the arena, so that not every part has a place"));
    assert_int_equal(store_load_album(f->db, CHANNEL, TS_STR("g1"), small, &page), TS_E_RANGE);
    ts_arena_free(small);
}

static void test_album_when_parts_are_deleted_then_the_rest_stays_and_the_last_takes_all(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, "a"));
    put(f, part(13, "b"));
    struct unit unit = letter_of(f, 1);
    acknowledge_unit(f, &unit, 5);
    put(f, gone(12)); /* the one that gave the whole its id */
    unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 12);
    assert_true(unit.key.revision > 0 && unit.key.revision < MESSAGE_DELETED);
    assert_true(says(&unit, "\"caption\":\"b\""));
    assert_false(says(&unit, "\"deleted\""));
    acknowledge_unit(f, &unit, 6);
    put(f, gone(13));
    unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 12);
    assert_int_equal(unit.key.revision, MESSAGE_DELETED);
    assert_true(says(&unit, "\"deleted\":true"));
    acknowledge_unit(f, &unit, 7);
    put(f, part(14, "c")); /* nothing that comes is lost */
    unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 14);
    assert_int_equal(unit.key.revision, 0);
    assert_true(says(&unit, "\"caption\":\"c\""));
}

static void test_album_when_pruned_then_rows_stay_while_one_is_newer(void **state)
{
    struct fixture *f = *state;
    struct store_op op = {.type = STORE_PRUNE, .prune = {.before_us = 30, .keep_rows = 100, .max_rows = 10}};
    put(f, part(12, "a"));
    struct unit unit = letter_of(f, 1);
    acknowledge_unit(f, &unit, 5);
    put(f, part(13, "b"));
    assert_int_equal(apply_one(f, &op), 0);
    assert_int_equal(op.prune.removed, 0); /* a part waits */
    unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 12);
    acknowledge_unit(f, &unit, 50);
    assert_int_equal(apply_one(f, &op), 0);
    assert_int_equal(op.prune.removed, 0); /* a part is newer */
    op.prune.before_us = 51;
    assert_int_equal(apply_one(f, &op), 0);
    assert_int_equal(op.prune.removed, 2);
}

static void test_album_when_an_acknowledgement_is_imported_then_the_other_parts_can_be_sent(void **state)
{
    struct fixture *f = *state;
    put(f, part(12, "a"));
    put(f, part(13, "b"));
    assert_int_equal(store_put_acknowledgement(f->db, (struct message_key){CHANNEL, 12, 0}, 5), 0);
    struct unit unit = letter_of(f, last_row(f));
    assert_int_equal(unit.key.message_id, 12);
    assert_int_equal(unit.n_refs, 1);
    assert_true(says(&unit, "a\\nb"));
}

/* --- queue files --- */

static struct queue_file_counts import_text(struct fixture *f, const char *text, FILE *bad)
{
    struct queue_file_counts counts;
    FILE *in = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
    assert_int_equal(queue_file_import(in, bad, f->db, &counts), 0);
    fclose(in);
    return counts;
}

#define LINE(id, more)                                     \
    "{\"channelId\":\"-1001234567890\",\"messageId\":" #id \
    ",\"text\":\"t\",\"timestamp\":\"2026-11-23T13:00:00Z\"" more "}\n"

static void test_import_then_messages_marks_and_bad_lines_in_their_places(void **state)
{
    struct fixture *f = *state;
    char *bad_text = NULL;
    size_t bad_size;
    FILE *bad = open_memstream(&bad_text, &bad_size);
    struct queue_file_counts counts =
        import_text(f,
                    LINE(1, "") LINE(2, ",\"queuedAt\":\"2026-11-23T13:00:01Z\"") "this is nothing\n\n" LINE(
                        3, ",\"failedAt\":\"2026-11-23T13:00:05Z\",\"reason\":\"timeout\",\"attempts\":4")
                        LINE(1, "") "{\"ack\":{\"channelId\":\"-1001234567890\",\"messageId\":1},\"at\":"
                                    "\"2026-11-23T13:00:09Z\"}\n"
                                    "{\"failed\":{\"channelId\":\"-1001234567890\",\"messageId\":2},"
                                    "\"failedAt\":\"2026-11-23T13:00:09Z\","
                                    "\"reason\":\"max_retries\",\"attempts\":4}\n"
                                    "{\"channelId\":\"-1001234567890\",\"mess",
                    bad);
    fclose(bad);
    assert_int_equal(counts.messages, 3);
    assert_int_equal(counts.known, 1);
    assert_int_equal(counts.marks, 2);
    assert_int_equal(counts.bad, 1);
    assert_string_equal(bad_text, "this is nothing\n");
    free(bad_text);
    struct outbox_usage usage;
    assert_int_equal(store_usage(f->db, &usage), 0);
    assert_int_equal(usage.pending, 2);
    assert_int_equal(usage.failed, 2);
}

static char *export_text(struct fixture *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(queue_file_export(f->db, out), 0);
    fclose(out);
    return text;
}

static void test_export_then_imports_into_the_same(void **state)
{
    struct fixture *f = *state;
    put(f, message(1, "a"));
    put(f, edit(1, "b", 1700000005000));
    put(f, part(2, "album"));
    fail_row(f, pending(f, 0, 10).rows[1].ref, REASON_REJECTED, 1700000007 * TS_US_PER_S, "d", "");
    char *first = export_text(f);
    ts_db_close(f->db);
    f->db = NULL;
    ts_test_path(f->dir, "second.db", f->path);
    assert_int_equal(journal_open_db(f->path, NULL, &f->db), 0);
    struct queue_file_counts counts = import_text(f, first, NULL);
    assert_int_equal(counts.messages, 3);
    assert_int_equal(counts.marks, 1);
    assert_int_equal(counts.bad, 0);
    char *second = export_text(f);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void test_import_once_then_renamed_and_not_again(void **state)
{
    struct fixture *f = *state;
    char path[TS_TEST_PATH_SIZE];
    struct outbox_usage usage;
    ts_test_path(f->dir, "failure-queue.jsonl", path);
    FILE *file = fopen(path, "w");
    fputs(LINE(1, "") "garbage\n", file);
    fclose(file);
    assert_int_equal(queue_file_import_once(path, f->db), 0);
    assert_int_equal(queue_file_import_once(path, f->db), 0); /* gone: nothing */
    assert_null(fopen(path, "r"));
    strcat(path, ".bad");
    char *bad = ts_test_read_file(path);
    assert_string_equal(bad, "garbage\n");
    free(bad);
    assert_int_equal(store_usage(f->db, &usage), 0);
    assert_int_equal(usage.pending, 1);
}

static void test_import_when_a_line_has_a_nul_then_it_is_bad_and_the_next_is_taken(void **state)
{
    static const char text[] = LINE(1, "") "\0\0\0\n" LINE(2, "") "{\"channelId\"\0:1}\n" LINE(3, "");
    struct fixture *f = *state;
    struct queue_file_counts counts;
    char *bad_text = NULL;
    size_t bad_size;
    FILE *bad = open_memstream(&bad_text, &bad_size);
    FILE *in = fmemopen((char *)(uintptr_t)text, sizeof text - 1, "rb");
    assert_int_equal(queue_file_import(in, bad, f->db, &counts), 0);
    fclose(in);
    fclose(bad);
    assert_int_equal(counts.messages, 3);
    assert_int_equal(counts.bad, 2);
    assert_int_equal(bad_size, 3 + 1 + 16 + 1);
    assert_memory_equal(bad_text, "\0\0\0\n{\"channelId\"\0:1}\n", bad_size);
    free(bad_text);
}

static void test_import_once_when_no_line_is_bad_then_older_bad_lines_stay(void **state)
{
    struct fixture *f = *state;
    char path[TS_TEST_PATH_SIZE], bad_path[TS_TEST_PATH_SIZE];
    ts_test_path(f->dir, "queue.jsonl", path);
    ts_test_path(f->dir, "queue.jsonl.bad", bad_path);
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(path, "w");
        fputs(i == 1 ? LINE(2, "") : "garbage\n", file);
        fclose(file);
        assert_int_equal(queue_file_import_once(path, f->db), 0);
    }
    char *bad = ts_test_read_file(bad_path);
    assert_string_equal(bad, "garbage\ngarbage\n");
    free(bad);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_append_then_pending_in_order_and_paged),
        CASE(test_append_when_known_then_duplicate),
        CASE(test_edits_then_a_revision_each_unless_equal),
        CASE(test_deletion_then_one_revision_of_its_own),
        CASE(test_acknowledge_then_forgotten_but_for_its_key),
        CASE(test_failed_then_taken_by_the_rules_of_replay),
        CASE(test_prune_then_old_and_surplus_acknowledged_rows_go),
        CASE(test_refusing_then_appends_wait_and_marks_go_on),
        CASE(test_last_seen_then_the_highest_id),
        CASE(test_album_then_one_letter_under_the_lowest_id),
        CASE(test_album_when_a_part_comes_late_then_a_revision_with_all_parts),
        CASE(test_album_when_a_part_comes_before_the_acknowledgement_then_it_is_in_no_old_letter),
        CASE(test_album_when_two_make_a_letter_then_one_of_them_looks_again),
        CASE(test_album_when_the_later_letter_is_stored_then_the_earlier_is_not_made_anew),
        CASE(test_album_when_a_part_is_edited_then_its_newest_version_counts),
        CASE(test_album_when_edited_hundreds_of_times_then_the_last_edit_is_sent),
        CASE(test_album_when_too_large_for_a_page_then_an_error),
        CASE(test_album_when_parts_are_deleted_then_the_rest_stays_and_the_last_takes_all),
        CASE(test_album_when_pruned_then_rows_stay_while_one_is_newer),
        CASE(test_album_when_an_acknowledgement_is_imported_then_the_other_parts_can_be_sent),
        CASE(test_import_then_messages_marks_and_bad_lines_in_their_places),
        CASE(test_export_then_imports_into_the_same),
        CASE(test_import_when_a_line_has_a_nul_then_it_is_bad_and_the_next_is_taken),
        CASE(test_import_once_then_renamed_and_not_again),
        CASE(test_import_once_when_no_line_is_bad_then_older_bad_lines_stay),
    };
    ts_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
