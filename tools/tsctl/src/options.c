#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/number.h"

enum verb { START = 1, STOP = 2, STATUS = 4, EVERY = START | STOP | STATUS };

static const struct verb_help {
    const char *name;
    enum verb verb;
    const char *text;
} verbs[] = {
    {"start", START,
     "usage: start [SERVICE|GROUP]...\n"
     "Starts the platform, or some services and what they need, as processes of this machine. What already "
     "runs stays.\n"
     "  --wait S      until all are healthy (180)     --no-wait     do not wait for it\n"
     "  --timeout S   for each service                --dry-run     only say what would be done\n"},
    {"stop", STOP,
     "usage: stop [SERVICE|GROUP]...\n"
     "Ends what `start` started, and nothing else.\n"
     "  --timeout S   from SIGTERM to SIGKILL (30)\n"},
    {"status", STATUS,
     "usage: status [SERVICE|GROUP]...\n"
     "What runs and whether it is healthy. Exit 0: all; 1: something is down; 2: something critical is "
     "down.\n"
     "  --watch[=S]   again every S seconds (5)       --timeout S   for each probe (1)\n"},
};

static const struct allowed {
    struct option option;
    unsigned verbs;
} table[] = {
    {{"format", required_argument, NULL, 'f'}, EVERY},  {{"json", no_argument, NULL, 'j'}, STATUS},
    {{"quiet", no_argument, NULL, 'q'}, EVERY},         {{"no-color", no_argument, NULL, 'c'}, EVERY},
    {{"timeout", required_argument, NULL, 't'}, EVERY}, {{"yes", no_argument, NULL, 'y'}, EVERY},
    {{"help", no_argument, NULL, 'h'}, EVERY},          {{"catalog", required_argument, NULL, 'C'}, EVERY},
    {{"wait", required_argument, NULL, 'w'}, START},    {{"no-wait", no_argument, NULL, 'W'}, START},
    {{"dry-run", no_argument, NULL, 'n'}, START},       {{"watch", optional_argument, NULL, 'o'}, STATUS},
    {{"version", no_argument, NULL, 'v'}, EVERY},
};

static const struct verb_help *find_verb(const char *name)
{
    for (size_t i = 0; i < TS_ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static void print_help(const struct verb_help *verb)
{
    if (!verb)
        printf("usage: tsctl start|stop|status [OPTION]... [SERVICE|GROUP]...\n");
    for (size_t i = 0; i < TS_ARRAY_LEN(verbs); i++)
        if (!verb || verb == &verbs[i])
            printf("%s%s", verb ? "" : "\n", verbs[i].text);
    printf("Always: --format text|json  --quiet  --no-color  --yes  --catalog FILE  --help  --version\n"
           "Exit: 0 done, 1 partly, 2 critical failed, 64 wrong usage, 69 something missing, 75 another "
           "command is at work\n");
}

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "tsctl: %s%s%s (--help tells more)\n", what, value ? ": " : "", value ? value : "");
    return -1;
}

static int seconds(const char *text, int *ret)
{
    int64_t value;

    if (ts_parse_i64(ts_str_from(text), 1, 86400, &value) < 0)
        return wrong("not a number of seconds from 1 to 86400", text);
    *ret = (int)value;
    return 0;
}

/* One option with its argument. 0, or -1 after saying what is wrong. */
static int take(int letter, const char *value, struct options *options)
{
    switch (letter) {
    case 'f':
        options->json = strcmp(value, "json") == 0;
        return options->json || strcmp(value, "text") == 0 ? 0 : wrong("--format is text or json", value);
    case 'j':
        options->json = true;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case 'c':
        options->no_color = true;
        return 0;
    case 't':
        return seconds(value, &options->timeout_s);
    case 'C':
        options->catalogue = value;
        return 0;
    case 'w':
        return seconds(value, &options->wait_s);
    case 'W':
        options->no_wait = true;
        return 0;
    case 'n':
        options->dry_run = true;
        return 0;
    case 'o':
        options->watch = true;
        return value ? seconds(value, &options->watch_s) : 0;
    default:
        return 0; /* --yes: no verb asks anything yet */
    }
}

static struct options defaults(const char *verb)
{
    const char *catalogue = getenv("TSCTL_CATALOG");
    const char *no_color = getenv("NO_COLOR");

    return (struct options){
        .verb = verb,
        .catalogue = catalogue && *catalogue ? catalogue : "config/services.json",
        .no_color = no_color && *no_color,
        .wait_s = 180,
        .watch_s = 5,
    };
}

int options_parse(int argc, char **argv, struct options *ret, int *ret_exit)
{
    struct option known[TS_ARRAY_LEN(table) + 1] = {0};
    const struct verb_help *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    size_t n = 0;
    int letter;

    *ret_exit = EXIT_USAGE;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
        if (strcmp(argv[1], "--help") == 0)
            print_help(NULL);
        else
            printf("tsctl %s (%s)\n", TS_VERSION, TS_COMMIT);
        *ret_exit = EXIT_DONE;
        return -1;
    }
    if (!verb)
        return wrong(argc > 1 ? "no such command" : "what? start, stop or status", argc > 1 ? argv[1] : NULL);
    for (size_t i = 0; i < TS_ARRAY_LEN(table); i++)
        if (table[i].verbs & verb->verb)
            known[n++] = table[i].option;

    struct options options = defaults(verb->name);
    opterr = 0;
    optind = 1;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((letter = getopt_long(argc - 1, argv + 1, "", known, NULL)) != -1) {
        if (letter == '?')
            return wrong("wrong option", argv[optind]);
        if (letter == 'h') {
            print_help(verb);
            *ret_exit = EXIT_DONE;
            return -1;
        }
        if (letter == 'v') {
            printf("tsctl %s (%s)\n", TS_VERSION, TS_COMMIT);
            *ret_exit = EXIT_DONE;
            return -1;
        }
        if (take(letter, optarg, &options) < 0)
            return -1;
    }
    options.names = argv + 1 + optind;
    options.n_names = (size_t)(argc - 1 - optind);
    *ret = options;
    return 0;
}
