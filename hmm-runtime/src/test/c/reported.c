// reported.c - what the processor reports of a fault on aarch64, in the place of an emulator that leaves it out (QEMU, user mode): a handler of the native part finds the record that Linux
// would have made. Whether the access was a write is in the instruction.
#if defined(__aarch64__)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "check.h"

#define WRITES (1 << 6) // WnR

// Arm Architecture Reference Manual, A64, "Loads and Stores": bit 22 says load but for plain ones of general registers (opc, two bits) and where one instruction does both.
static bool is_store(uint32_t i) {
  bool both = (i & 0x3f200c00) == 0x38200000 || (i & 0x3fa00000) == 0x08a00000; // atomic memory operations; compare and swap
  bool plain = (i & 0x3c000000) == 0x38000000;                                  // of one general register
  return both || (plain ? !(i & 3 << 22) : !(i & 1 << 22));
}

static void (*handler)(int, siginfo_t *, void *);

static void with_report(int number, siginfo_t *info, void *context) {
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  unsigned char *at = m->__reserved;
  struct _aarch64_ctx head;
  for (memcpy(&head, at, sizeof head); head.magic; memcpy(&head, at, sizeof head)) at += head.size;
  struct esr_context report = {{ESR_MAGIC, sizeof report}, is_store(*(const uint32_t *)(uintptr_t)m->pc) ? WRITES : 0};
  memcpy(at, &report, sizeof report);
  memset(at + sizeof report, 0, sizeof head); // the end
  handler(number, info, context);
  memset(at, 0, sizeof head); // the emulator would not know it
}

static int sigaction_with_report(int number, const struct sigaction *new, struct sigaction *old) {
  struct sigaction ours;
  void (*before)(int, siginfo_t *, void *) = handler;
  if (new) {
    ours = *new;
    handler = new->sa_sigaction;
    ours.sa_sigaction = with_report;
  }
  int result = sigaction(number, new ? &ours : NULL, old);
  if (!result && old && old->sa_sigaction == with_report) old->sa_sigaction = before;
  return result;
}

void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name) {
  return strcmp(name, "sigaction") ? __real_dlsym(library, name) : (void *)(uintptr_t)sigaction_with_report;
}
#else
typedef int nothing_is_left_out_here;
#endif
