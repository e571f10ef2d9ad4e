/*
 * For tests only: a real nginx of our own, run on a configuration that lies in the tree. Gone with its files when the test program ends, however
 * it ends.
 *
 *     const struct ts_test_file files[] = {{"tp-capital-listen.conf", "listen 127.0.0.1:8080;"}};
 *     ts_test_nginx_start(&nginx, "apps/tp-capital/api/nginx/replicas.conf", 8080, files, 1);
 *     …
 *     ts_test_nginx_stop(&nginx);
 *
 * A failure of the harness is printed and ends the test program. Thread rule: main thread.
 */
#ifndef TS_TESTING_NGINX_H
#define TS_TESTING_NGINX_H

#include <stddef.h>

#include "testing/process.h"

struct ts_test_nginx {
    char dir[TS_TEST_PATH_SIZE];
    int port;
    struct ts_test_process process;
};

struct ts_test_file {
    const char *name; /* for an `include NAME;` of the configuration */
    const char *text;
};

/* False when none is installed: then skip(). */
bool ts_test_nginx_is_installed(void);

/* `conf`: path in the source tree, included into the http block. Returns when `port`, which the files make it listen on, accepts connections. */
void ts_test_nginx_start(struct ts_test_nginx *nginx, const char *conf, int port,
                         const struct ts_test_file *files, size_t n_files);
void ts_test_nginx_stop(struct ts_test_nginx *nginx);

#endif
