/*
 * What the kernel knows about this process, mostly in the shape of metric call-backs (obs/metrics.h). 0 when /proc
 * is not there. Thread-safe.
 */
#ifndef TS_OBS_PROCESS_H
#define TS_OBS_PROCESS_H

#include <stdint.h>

int64_t ts_process_cpu_us(void *unused);
int64_t ts_process_resident_bytes(void *unused);
int64_t ts_process_open_fds(void *unused);
int64_t ts_process_start_us(void); /* wall clock */

#endif
