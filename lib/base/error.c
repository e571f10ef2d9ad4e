#include "base/error.h"

#include <stddef.h>
#include <string.h>

struct error_info {
    const char *code;
    int http_status;
    const char *text;
};

static const struct error_info *info_of(int error)
{
    static const struct error_info table[] = {
#define X(name, code, http, text) {code, http, text},
        TS_ERRORS(X)
#undef X
    };

    if (error <= TS_E_BASE_ || error >= TS_E_END_)
        return NULL;
    return &table[error - TS_E_BASE_ - 1];
}

const char *ts_error_code(int error)
{
    const struct error_info *info = info_of(error);

    if (error == 0)
        return "ok";
    if (info)
        return info->code;
    const char *name = error < 0 && error > TS_E_BASE_ ? strerrorname_np(-error) : NULL;
    return name ? name : "unknown";
}

const char *ts_error_text(int error)
{
    const struct error_info *info = info_of(error);

    if (error == 0)
        return "Success";
    if (info)
        return info->text;
    const char *text = error < 0 && error > TS_E_BASE_ ? strerrordesc_np(-error) : NULL;
    return text ? text : "Unknown error";
}

int ts_error_http_status(int error)
{
    const struct error_info *info = info_of(error);

    if (error == 0)
        return 200;
    return info ? info->http_status : 500;
}
