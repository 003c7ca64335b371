// kernel_page.h - a page of the operating system, the least that can be mapped: 4 KiB; on aarch64 also 16 or 64.
#ifndef HMM_KERNEL_PAGE_H
#define HMM_KERNEL_PAGE_H

#include <stdint.h>
#include <unistd.h>

#define KERNEL_PAGE ((uint64_t)sysconf(_SC_PAGESIZE))

#endif
