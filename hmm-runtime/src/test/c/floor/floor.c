// floor.c - what a page fault costs at least that user space answers: one thread that touches, one that answers, nothing else.
//
// The benchmarks divide the runtime's faults by these. Memory is laid out as the runtime's: one file in memory mapped twice, `app` (touched) and `alias` (filled by the
// answering thread), and `source`, which stands for device memory. All three are written to before, so no fault pays for new memory. `range` stands for the addresses at which a
// kernel that faults has the heap: anonymous memory, which has pages only where one was brought.
//
// Usage: floor [--rung uffd|sigsegv] [--bytes N] [--serve]
//   without --serve: a table of all faults and page sizes
//   with --serve:    "ready RUNG", then for each line "read|upgrade|device PAGE_BYTES COUNT" one line with COUNT latencies in nanoseconds, in the order of the touches
//     read     a load from a page that is not mapped: memcpy from source to alias, then map it
//     upgrade  a store to a page that is mapped for reading only: allow writing
//     device   a load from a page of the range that is not there: copy it from alias, which maps it (rung uffd only)
// Each page is touched once a round, in a shuffled order. Exit status 1 and a line on stderr if anything failed or any byte was wrong.
// Build: cc -std=c17 -O2 -Wall -Wextra -Wconversion -Werror -pthread floor.c -o floor
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef USERFAULTFD_IOC_NEW // headers before Linux 6.1
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

enum { ENTRY_BYTES = 4096, BLOCK_BYTES = 2 << 20 };

enum kind { READ, UPGRADE, DEVICE };
static const char *const kinds[] = {"read", "upgrade", "device"};

static uint8_t *app, *alias, *source, *range;
static size_t bytes = (size_t)64 << 20;
static _Atomic size_t page_bytes; // of the faults that are being measured
static _Atomic enum kind kind; // of the same
static _Atomic size_t answers; // given so far; one for each touch, else something else was measured than faults

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "floor: %s failed: %s (errno=%d)\n", what, strerror(errno), errno);
    _exit(1);
}

static _Noreturn void refuse(const char *what, const char *value) {
    fprintf(stderr, "floor: %s: %s\n", what, value);
    _exit(1);
}

static void *check_mapped(void *address, const char *what) {
    if (address == MAP_FAILED) fail(what);
    return address;
}

static void start_thread(void *(*body)(void *)) {
    pthread_t thread;
    errno = pthread_create(&thread, NULL, body, NULL);
    if (errno != 0) fail("pthread_create");
}

// ---- rung uffd: the answering thread sleeps in read() on the descriptor ----------------------------------------------------------------------------------------------

static int uffd;

static int open_uffd(void) {
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd >= 0) return fd;
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device >= 0) {
        fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);
        if (close(device) != 0) fail("close");
        if (fd >= 0) return fd;
    }
    fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (fd < 0) fail("userfaultfd");
    return fd;
}

static void uffd_map(uint8_t *start, size_t length) {
    struct uffdio_continue request = {.range = {(uintptr_t)start, length}};
    if (ioctl(uffd, UFFDIO_CONTINUE, &request) != 0) fail("UFFDIO_CONTINUE");
}

static void uffd_copy(uint8_t *start, const uint8_t *from, size_t length) {
    struct uffdio_copy request = {.dst = (uintptr_t)start, .src = (uintptr_t)from, .len = length};
    if (ioctl(uffd, UFFDIO_COPY, &request) != 0) fail("UFFDIO_COPY");
}

static void uffd_protect(uint8_t *start, size_t length, bool protect) {
    struct uffdio_writeprotect request = {.range = {(uintptr_t)start, length}, .mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0};
    if (ioctl(uffd, UFFDIO_WRITEPROTECT, &request) != 0) fail("UFFDIO_WRITEPROTECT");
}

static void *uffd_answer(void *unused) {
    (void)unused;
    for (;;) {
        struct uffd_msg message;
        ssize_t length = read(uffd, &message, sizeof message);
        if (length < 0 && errno == EINTR) continue;
        if (length != (ssize_t)sizeof message) fail("read of a fault");
        if (message.event != UFFD_EVENT_PAGEFAULT) refuse("unexpected event", "not a page fault");
        bool device = atomic_load(&kind) == DEVICE;
        size_t page = atomic_load(&page_bytes);
        size_t offset = ((size_t)message.arg.pagefault.address - (uintptr_t)(device ? range : app)) & ~(page - 1);
        atomic_fetch_add(&answers, 1);
        if (device) {
            uffd_copy(range + offset, alias + offset, page);
        } else if ((message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) != 0) {
            uffd_protect(app + offset, page, false);
        } else {
            memcpy(alias + offset, source + offset, page);
            uffd_map(app + offset, page);
        }
    }
}

static void uffd_start(void) {
    uffd = open_uffd();
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM
                                                          | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
    if (ioctl(uffd, UFFDIO_API, &api) != 0) fail("UFFDIO_API");
    struct uffdio_register file = {.range = {(uintptr_t)app, bytes},
                                   .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP};
    struct uffdio_register missing = {.range = {(uintptr_t)range, bytes}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (ioctl(uffd, UFFDIO_REGISTER, &file) != 0 || ioctl(uffd, UFFDIO_REGISTER, &missing) != 0) fail("UFFDIO_REGISTER");
    start_thread(uffd_answer);
}

// The file keeps the data: dropping the mapping makes the next touch a fault, and nothing else.
static void uffd_arm(void) {
    if (madvise(range, bytes, MADV_DONTNEED) != 0) fail("madvise of the range");
    if (atomic_load(&kind) == DEVICE) return;
    uffd_protect(app, bytes, false); // a protection would outlive the drop
    if (madvise(app, bytes, MADV_DONTNEED) != 0) fail("madvise");
    if (atomic_load(&kind) == UPGRADE) {
        uffd_map(app, bytes);
        uffd_protect(app, bytes, true);
    }
}

// ---- rung sigsegv: the signal handler rings an eventfd and sleeps on a futex until the answering thread has changed the protection -----------------------------------

static int bell;
static _Atomic uintptr_t wanted;
static _Atomic uint32_t answered;

static long futex(int operation, uint32_t value) {
    return syscall(SYS_futex, &answered, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (address - (uintptr_t)app >= bytes) { // not ours: the touch is repeated and ends the process
        if (signal(number, SIG_DFL) == SIG_ERR) _exit(1);
        return;
    }
    atomic_store(&answered, 0);
    atomic_store(&wanted, address);
    uint64_t one = 1;
    if (write(bell, &one, sizeof one) != (ssize_t)sizeof one) _exit(1);
    while (atomic_load(&answered) == 0) {
        if (futex(FUTEX_WAIT, 0) != 0 && errno != EAGAIN && errno != EINTR) _exit(1);
    }
    errno = saved;
}

static void *sigsegv_answer(void *unused) {
    (void)unused;
    for (;;) {
        uint64_t rings;
        ssize_t length = read(bell, &rings, sizeof rings);
        if (length < 0 && errno == EINTR) continue;
        if (length != (ssize_t)sizeof rings) fail("read of the eventfd");
        size_t page = atomic_load(&page_bytes);
        size_t offset = (atomic_load(&wanted) - (uintptr_t)app) & ~(page - 1);
        atomic_fetch_add(&answers, 1);
        if (atomic_load(&kind) != UPGRADE) memcpy(alias + offset, source + offset, page);
        if (mprotect(app + offset, page, PROT_READ | PROT_WRITE) != 0) fail("mprotect of a page");
        atomic_store(&answered, 1);
        if (futex(FUTEX_WAKE, 1) < 0) fail("futex");
    }
}

static void sigsegv_start(void) {
    bell = eventfd(0, EFD_CLOEXEC);
    if (bell < 0) fail("eventfd");
    memset(app, 1, bytes); // entries exist and are dirty, so that lifting a protection is all there is to do
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    if (sigemptyset(&action.sa_mask) != 0 || sigaction(SIGSEGV, &action, NULL) != 0) fail("sigaction");
    start_thread(sigsegv_answer);
}

static void sigsegv_arm(void) {
    if (mprotect(app, bytes, atomic_load(&kind) == UPGRADE ? PROT_READ : PROT_NONE) != 0) fail("mprotect");
}

// ---- measuring -------------------------------------------------------------------------------------------------------------------------------------------------------

static void (*arm)(void);
static size_t *order; // of the pages

static uint64_t now(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) fail("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static uint64_t random_below(uint64_t bound) { // SplitMix64, the same numbers in each run
    static uint64_t state = 7;
    uint64_t z = state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (z ^ (z >> 31)) % bound;
}

static void shuffle(size_t count) {
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t)random_below(i + 1);
        size_t moved = order[i];
        order[i] = order[other];
        order[other] = moved;
    }
}

// Touches the first `count` pages of the order; the time of a touch is the time of its fault.
static void touch(size_t count, uint64_t *nanos) {
    size_t page = atomic_load(&page_bytes);
    bool upgrade = atomic_load(&kind) == UPGRADE, device = atomic_load(&kind) == DEVICE;
    uint8_t *touched = device ? range : app;
    for (size_t i = 0; i < count && !device; i++) { // what a page held before must not pass for what it is to hold
        size_t first = order[i] * page;
        alias[first] = (uint8_t)~source[first];
        alias[first + page - 1] = (uint8_t)~source[first + page - 1];
    }
    for (size_t i = 0; i < count; i++) {
        size_t first = order[i] * page;
        size_t last = first + page - 1;
        volatile uint8_t *byte = touched + first;
        uint8_t expected = device ? alias[first] : source[first];
        uint64_t start = now();
        if (upgrade) *byte = expected;
        uint8_t found = *byte;
        nanos[i] = now() - start;
        if (found != expected || alias[first] != expected) refuse("wrong byte after", kinds[atomic_load(&kind)]);
        if (!upgrade && touched[last] != alias[last]) refuse("wrong byte at the end of a page after", kinds[atomic_load(&kind)]);
    }
}

static void measure(enum kind which, size_t page, size_t count, uint64_t *nanos) {
    atomic_store(&page_bytes, page);
    atomic_store(&kind, which);
    for (size_t done = 0; done < count;) {
        size_t pages = bytes / page;
        size_t round = count - done < pages ? count - done : pages;
        arm();
        shuffle(pages);
        size_t before = atomic_load(&answers);
        touch(round, nanos + done);
        if (atomic_load(&answers) - before != round) refuse("not one fault for each touch of", kinds[which]);
        done += round;
    }
}

static uint64_t *latencies(size_t count) {
    uint64_t *nanos = calloc(count, sizeof *nanos);
    if (nanos == NULL) fail("calloc");
    return nanos;
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void report(const char *rung) {
    printf("rung     fault    page_bytes  faults   p50_ns   p90_ns\n");
    for (enum kind which = READ; which <= (strcmp(rung, "uffd") == 0 ? DEVICE : UPGRADE); which++) {
        for (size_t page = ENTRY_BYTES; page <= BLOCK_BYTES && page <= bytes; page = page == 65536 ? BLOCK_BYTES : page * 16) {
            size_t count = page == BLOCK_BYTES ? 500 : 5000;
            uint64_t *nanos = latencies(count);
            measure(which, page, count / 10, nanos); // warms up
            measure(which, page, count, nanos);
            qsort(nanos, count, sizeof *nanos, compare);
            printf("%-8s %-8s %10zu %7zu %8llu %8llu\n", rung, kinds[which], page, count, (unsigned long long)nanos[count / 2],
                   (unsigned long long)nanos[count - 1 - count / 10]);
            free(nanos);
        }
    }
}

static size_t number(const char *text, size_t least, size_t most, const char *name) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || value < least || value > most) refuse(name, text);
    return (size_t)value;
}

static size_t page_size(const char *text) {
    size_t page = number(text, ENTRY_BYTES, bytes < BLOCK_BYTES ? bytes : BLOCK_BYTES, "PAGE_BYTES is not a page size");
    if ((page & (page - 1)) != 0) refuse("PAGE_BYTES is not a power of two", text);
    return page;
}

static void serve(const char *rung) {
    char line[128], word[16], page[24], count[24], rest[2];
    printf("ready %s\n", rung);
    if (fflush(stdout) != 0) fail("fflush");
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "%15s %23s %23s %1s", word, page, count, rest) != 3) refuse("not a request", line);
        enum kind which = READ;
        while (which <= DEVICE && strcmp(word, kinds[which]) != 0) which++;
        if (which > DEVICE || (which == DEVICE && strcmp(rung, "uffd") != 0)) refuse("not a kind of fault here", word);
        size_t faults = number(count, 1, 10000000, "COUNT is out of range");
        uint64_t *nanos = latencies(faults);
        measure(which, page_size(page), faults, nanos);
        for (size_t i = 0; i < faults; i++) printf("%llu%c", (unsigned long long)nanos[i], i + 1 < faults ? ' ' : '\n');
        free(nanos);
        if (fflush(stdout) != 0) fail("fflush");
    }
    if (ferror(stdin) != 0) fail("fgets");
}

// Aligned to blocks, as the runtime's regions are; MAP_FIXED lands in a reservation of our own.
static uint8_t *map_file(int file) {
    uint8_t *reserved = check_mapped(mmap(NULL, bytes + BLOCK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), "mmap");
    uint8_t *aligned = reserved + (BLOCK_BYTES - (uintptr_t)reserved % BLOCK_BYTES) % BLOCK_BYTES;
    return check_mapped(mmap(aligned, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0), "mmap of the memory file");
}

static void map_memory(void) {
    int file = memfd_create("floor", MFD_CLOEXEC);
    if (file < 0) fail("memfd_create");
    if (ftruncate(file, (off_t)bytes) != 0) fail("ftruncate");
    app = map_file(file);
    alias = map_file(file);
    source = check_mapped(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap of the source");
    range = check_mapped(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), "mmap of the range");
    if (madvise(range, bytes, MADV_NOHUGEPAGE) != 0 && errno != EINVAL) fail("madvise of the range"); // a kernel without huge pages refuses
    memset(alias, 1, bytes);
    for (size_t i = 0; i < bytes; i++) source[i] = (uint8_t)(i / ENTRY_BYTES * 31 + i + 7);
    order = calloc(bytes / ENTRY_BYTES, sizeof *order);
    if (order == NULL) fail("calloc");
}

int main(int argc, char **argv) {
    const char *rung = "uffd";
    bool serving = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--serve") == 0) {
            serving = true;
        } else if (strcmp(argv[i], "--rung") == 0 && i + 1 < argc) {
            rung = argv[++i];
        } else if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc) {
            bytes = number(argv[++i], ENTRY_BYTES, (size_t)1 << 32, "--bytes is out of range");
            if ((bytes & (bytes - 1)) != 0) refuse("--bytes is not a power of two", argv[i]);
        } else {
            refuse("usage: floor [--rung uffd|sigsegv] [--bytes N] [--serve]; not understood", argv[i]);
        }
    }
    bool signals = strcmp(rung, "sigsegv") == 0;
    if (!signals && strcmp(rung, "uffd") != 0) refuse("--rung is neither uffd nor sigsegv", rung);
    map_memory();
    arm = signals ? sigsegv_arm : uffd_arm;
    (signals ? sigsegv_start : uffd_start)();
    (serving ? serve : report)(rung);
    return fflush(stdout) == 0 ? 0 : 1; // the answering thread sleeps in the kernel and ends with the process
}
