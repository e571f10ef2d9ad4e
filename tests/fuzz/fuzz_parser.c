/* Any bytes through the signal parser: never a crash, and the invariants hold (parser_invariants.h). */
#include <stddef.h>
#include <stdint.h>

#include "parser_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= SIGNAL_TEXT_MAX)
        check_invariants((ts_str){(const char *)data, size});
    return 0;
}
