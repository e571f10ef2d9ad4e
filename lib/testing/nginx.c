#include "testing/nginx.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRAM  "/usr/sbin/nginx"
#define START_MS 20000

bool ts_test_nginx_is_installed(void)
{
    return access(PROGRAM, X_OK) == 0;
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[TS_TEST_PATH_SIZE];
    FILE *file = fopen(ts_test_path(dir, name, path), "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        ts_test_die("cannot write %s", path);
}

/* Every path that nginx would otherwise take from the system lies in our folder. */
static void write_main(const struct ts_test_nginx *nginx, const char *conf)
{
    const char *source = getenv("TS_SOURCE_DIR");
    char text[4096];

    snprintf(text, sizeof(text),
             "%s"
             "daemon off;\npid %s/pid;\nworker_processes 1;\nevents { worker_connections 1024; }\n"
             "http {\n    access_log off;\n    client_body_temp_path body;\n    proxy_temp_path proxy;\n"
             "    fastcgi_temp_path fastcgi;\n    uwsgi_temp_path uwsgi;\n    scgi_temp_path scgi;\n"
             "    include %s/%s;\n}\n",
             geteuid() == 0 ? "user root;\n" : "", /* the folder is ours alone */
             nginx->dir, source ? source : ".", conf);
    write_file(nginx->dir, "nginx.conf", text);
}

void ts_test_nginx_start(struct ts_test_nginx *nginx, const char *conf, int port,
                         const struct ts_test_file *files, size_t n_files)
{
    char config[TS_TEST_PATH_SIZE], log[TS_TEST_PATH_SIZE];

    *nginx = (struct ts_test_nginx){.port = port};
    ts_test_dir_make(nginx->dir);
    write_main(nginx, conf);
    for (size_t i = 0; i < n_files; i++)
        write_file(nginx->dir, files[i].name, files[i].text);
    const char *const argv[] = {PROGRAM,
                                "-p",
                                nginx->dir,
                                "-c",
                                ts_test_path(nginx->dir, "nginx.conf", config),
                                "-e",
                                ts_test_path(nginx->dir, "error.log", log),
                                NULL};
    /* SIGTERM, because its worker would outlive a master that was killed. */
    ts_test_start(&nginx->process, &(struct ts_test_spawn){.argv = argv, .parent_death_signal = SIGTERM});
    if (!ts_test_wait_port(port, START_MS))
        ts_test_die("nginx does not start: %s%s", ts_test_read_file(nginx->process.output),
                    ts_test_read_file(log));
}

void ts_test_nginx_stop(struct ts_test_nginx *nginx)
{
    ts_test_end(&nginx->process, SIGTERM);
    ts_test_dir_remove(nginx->dir);
}
