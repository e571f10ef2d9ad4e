/*
 * bench_statement FILE: writes to FILE a pgbench script that stores a batch of 100 messages by the statements of the API's own store, in one transaction and one
 * round trip as the API does, and prints the arguments that pgbench needs for it, one a line. What the statements ask for comes as array
 * parameters, the same in each batch but the message ids, which the server makes from a number that pgbench counts up. So it is the speed that the
 * database allows this store with one client: the limit of `make bench`.
 *
 * The messages are those of ingest.lua.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store_internal.h"

enum { BATCH = 100, MESSAGE_ID = 14 };

/* The columns of the statement in their order ($1 first); the message id is made by the server, NULL is null. */
static const char *const columns[] = {
    "PETR4",
    "BUY",
    "Swing Trade",
    "30.5",
    "31",
    "32",
    "33.5",
    "35",
    "\"{32,33.5,35}\"",
    "29.1",
    "t",
    "\"\xF0\x9F\x9F\xA2 Swing Trade  ATIVO: PETR4 COMPRA: 30,50 A 31,00 ALVO 1: 32,00 ALVO 2: 33,50 ALVO "
    "FINAL: 35,00  STOP: 29,10  "
    "A ordem fica no book até o fim do pregão. Gerencie o risco.\"",
    "-1001000000001",
    NULL,
    "\"2026-11-03 13:00:00+00\"",
    "\"2026-11-03 13:00:00.5+00\"",
    NULL,
    "\"Canal de Medição\"",
    "telegram",
    NULL,
    "[]",
    "00000000-0000-4000-8000-000000000000",
    NULL,
};

/* The statement with :pN for $N. */
static void write_statement(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text != '$' || !isdigit((unsigned char)text[1])) {
            fputc(*text, out);
            continue;
        }
        char *end;
        long number = strtol(text + 1, &end, 10);
        if (number == MESSAGE_ID)
            fprintf(out, "ARRAY(SELECT :first_id::bigint + g FROM generate_series(1, %d) g)", BATCH);
        else
            fprintf(out, ":p%ld", number);
        text = end - 1;
    }
    fputs(";\n", out);
}

static void write_script(FILE *out)
{
    fprintf(out, "\\set first_id :first_id + %d\n\\startpipeline\nBEGIN;\n", BATCH);
    write_statement(out, store_sql_lock.text);
    write_statement(out, store_sql_insert_batch.text);
    write_statement(out, store_sql_trim.text);
    write_statement(out, store_sql_notify.text);
    fputs("COMMIT;\n\\endpipeline\n", out);
}

static void print_array(size_t number, const char *value)
{
    printf("-D\np%zu={", number);
    for (int i = 0; i < BATCH; i++)
        printf("%s%s", i == 0 ? "" : ",", value ? value : "NULL");
    puts("}");
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;

    if (!out) {
        fprintf(stderr, "usage: bench_statement FILE\n");
        return 64;
    }
    write_script(out);
    printf("-D\nfirst_id=%lld\n", (long long)ts_clock_wall_us());
    for (size_t i = 0; i < TS_ARRAY_LEN(columns); i++)
        if (i + 1 != MESSAGE_ID)
            print_array(i + 1, columns[i]);
    return fclose(out) == 0 ? 0 : 1;
}
