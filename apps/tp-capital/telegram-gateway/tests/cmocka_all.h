/* cmocka wants these before itself. */
#ifndef GATEWAY_CMOCKA_ALL_H
#define GATEWAY_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
