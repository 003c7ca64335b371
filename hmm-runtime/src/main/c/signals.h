// signals.h - the signal handlers (signals.c). What is installed is the process's, under a lock that no handler takes.
#ifndef HMM_SIGNALS_H
#define HMM_SIGNALS_H

#include <setjmp.h>
#include <stdatomic.h>
#include <sys/types.h>

struct hmm_pager;

struct signals { // of a heap
  pid_t process; // that has the crew
  _Atomic int inside; // handlers that use this heap
  sigjmp_buf *on_error; // of a heap that is being tried: where a touch goes that becomes an error
};

int install_signal_handler(int signal); // SIGSEGV or SIGBUS
void await_handlers(struct hmm_pager *p); // lets those go who wait in the signal handler, once no other can find the heap
void take_signals(const void *signal_context); // where the handler of SIGBUS may be interrupted again

#endif
