/* The commands `import` and `export`. Blocking; they return the exit code. */
#ifndef TP_CAPITAL_TRANSFER_VERBS_H
#define TP_CAPITAL_TRANSFER_VERBS_H

#include "service/service.h"

#define TRANSFER_TABLES "signals|forwarded_messages|channels|bots"
#define IMPORT_HELP                                                          \
    "FILE… [--table " TRANSFER_TABLES                                        \
    "] [--dry-run]: rows of CSV or JSON lines that are not there yet; what " \
    "is refused stands in FILE.rejects; exit 0 when nothing was"
#define EXPORT_HELP \
    "--table " TRANSFER_TABLES " [--format jsonl|csv] [FILE]: all rows, such that import takes them"

int import_verb(struct ts_service *service, int argc, char **argv);
int export_verb(struct ts_service *service, int argc, char **argv);

#endif
