#include "prepare.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "state.h"

#define MAX_WORDS 16
#define POLL_MS   20
#define SLOW_MS   1000

/* Waits for the end; after a second it says on standard error what takes so long. */
static int wait_for(pid_t pid, const char *slow_text)
{
    int status;

    for (int ms = 0;; ms += POLL_MS) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : TS_E_MISSING;
        if (got < 0 && errno != EINTR)
            return -errno;
        if (ms == SLOW_MS && slow_text)
            fprintf(stderr, "    %s\n", slow_text);
        poll(NULL, 0, POLL_MS);
    }
}

static int run(const char *const *argv, int log, const char *slow_text)
{
    posix_spawn_file_actions_t files;
    pid_t pid;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
    int r = -posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (r < 0)
        return r;
    return wait_for(pid, slow_text);
}

static ts_str last_line(ts_str text)
{
    size_t start = text.len;

    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    return (ts_str){text.ptr + start, text.len - start};
}

int prepare_run(const char *id, const json_t *words, const char *slow_text, struct ts_arena *arena,
                ts_str *ret_why)
{
    const char *argv[MAX_WORDS + 1] = {0};
    char name[128];
    size_t i, n = 0;
    const json_t *word;

    json_array_foreach(words, i, word) if (n < MAX_WORDS) argv[n++] = json_string_value(word);
    snprintf(name, sizeof(name), "%s.prepare", id);
    _cleanup_(ts_closep) int log = state_open_log(name);
    int r = argv[0] ? log : TS_E_INVALID; /* nothing to run */
    if (r >= 0)
        r = run(argv, log, slow_text);
    if (r == 0)
        return 0;
    ts_str said = last_line(state_log_tail(name, 4096, arena));
    if (r != TS_E_MISSING || said.len == 0)
        said = ts_str_from(ts_error_text(r));
    int printed = ts_arena_printf(arena, ret_why, "%s: %.*s", argv[0], TS_STR_ARG(said));
    return printed < 0 ? printed : TS_E_MISSING;
}
