/* Any question and any text: never a crash, and the invariants hold (search_invariants.h). The first byte is the length of the question. */
#include <stddef.h>
#include <stdint.h>

#include "search_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    if (size < 2 || size > FOLD_TEXT_MAX)
        return 0;
    size_t n = TS_MIN((size_t)data[0] % SEARCH_MAX_BYTES + 1, size - 1);
    if (ts_utf8_valid((ts_str){bytes + 1, n})) /* the door lets nothing else in */
        check_search((ts_str){bytes + 1, n}, (ts_str){bytes + 1 + n, size - 1 - n}, TS_STR_NONE);
    return 0;
}
