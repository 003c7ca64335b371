// crew.c - the crew: the threads that serve faults, one of which leads: it alone waits for faults, and serves what it reads. Whoever is about to do something long (wait for a
// launch, copy many pages) first makes another the leader, and a new thread if there is none. So a fault never stands behind one that waits, and a single fault costs
// no hand-over.
#define _GNU_SOURCE

#include "answers.h"
#include "crew.h"
#include "device_fault.h"
#include "fault.h"
#include "pager.h"
#include "trap.h"
#include "turns.h"

#define IDLE_CREW 4
#define ANSWER_NANOS 50000000ULL
#define CREW_STACK_BYTES (1U << 20) // OpenCL drivers are called on it

static _Thread_local bool leads;
static _Thread_local struct { // faults that this thread has read and not begun to serve
  const struct fault *faults;
  int count;
} rest;

static void await_stop(struct hmm_pager *p) { // nothing to serve any more
  pthread_mutex_lock(&p->crew.lock);
  while (!p->crew.stopping) condition_wait(&p->crew.changed, &p->crew.lock, 0);
  pthread_mutex_unlock(&p->crew.lock);
}

static void lead(struct hmm_pager *p) {
  struct fault faults[FAULTS_AT_ONCE];
  leads = true;
  while (leads) {
    int n = p->trap->wait(p, faults, FAULTS_AT_ONCE);
    if (n < 0) await_stop(p);
    bool stopping = atomic_load(&p->crew.stopping); // set before the ring
    if (n > 0) serve(p, faults, n);
    if (stopping) break; // the ring may have come together with the faults, and comes only once
  }
}

// Until there is something to do. Answers that nobody has heard for a while are ended by whoever is idle, and waits of kernels that have lasted too long; there is somebody, since
// whoever gives an answer, or lets a kernel wait, hands on the lead.
static void stand_by(struct hmm_pager *p) {
  uint64_t until = answers_stand(p) ? nanos() + ANSWER_NANOS : 0, over = next_wait_over(p);
  if (over && (!until || over < until)) until = over;
  if (!condition_wait(&p->crew.changed, &p->crew.lock, until)) return;
  pthread_mutex_unlock(&p->crew.lock);
  if (answers_stand(p)) end_answers(p, 0, p->config.page_count);
  end_waits(p);
  pthread_mutex_lock(&p->crew.lock);
}

void rouse(struct hmm_pager *p) {
  pthread_mutex_lock(&p->crew.lock);
  condition_broadcast(&p->crew.changed);
  pthread_mutex_unlock(&p->crew.lock);
}

static void *crew_main(void *arg) {
  struct hmm_pager *p = arg;
  ask_for_short_turns(); // who waits for the crew is a thread of the program, and with it the JVM where that wants to stop all of them
  pthread_mutex_lock(&p->crew.lock);
  while (true) {
    while (p->crew.led && !p->crew.ahead_count && !p->crew.stopping && p->crew.idle < IDLE_CREW) {
      p->crew.idle++;
      stand_by(p);
      p->crew.idle--;
    }
    if (p->crew.stopping) break;
    if (p->crew.led && p->crew.ahead_count) {
      pthread_mutex_unlock(&p->crew.lock);
      work_ahead(p);
      pthread_mutex_lock(&p->crew.lock);
      continue;
    }
    if (p->crew.led) break; // enough others are idle
    p->crew.led = true;
    pthread_mutex_unlock(&p->crew.lock);
    lead(p);
    pthread_mutex_lock(&p->crew.lock);
    if (leads) p->crew.led = false;
    leads = false;
  }
  p->crew.count--;
  condition_broadcast(&p->crew.changed);
  pthread_mutex_unlock(&p->crew.lock);
  return NULL;
}

sigset_t sent_by_others(void) {
  static const int of_itself[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
  sigset_t others;
  sigfillset(&others);
  for (size_t i = 0; i < sizeof of_itself / sizeof *of_itself; i++) sigdelset(&others, of_itself[i]);
  return others;
}

int start_own_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *), void *arg) {
  sigset_t others = sent_by_others(), before;
  int error = pthread_sigmask(SIG_BLOCK, &others, &before);
  if (error) return -error;
  error = pthread_create(thread, attributes, main, arg);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

static int join_crew(struct hmm_pager *p) {
  pthread_attr_t attributes;
  pthread_t thread;
  int error = pthread_attr_init(&attributes);
  if (error) return -error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, CREW_STACK_BYTES);
  p->crew.count++;
  int result = start_own_thread(&thread, &attributes, crew_main, p);
  if (result) p->crew.count--;
  pthread_attr_destroy(&attributes);
  return result;
}

void share_ahead(struct hmm_pager *p, struct ahead a) {
  pthread_mutex_lock(&p->crew.lock);
  bool room = p->crew.ahead_count < AHEADS;
  if (room) p->crew.aheads[(p->crew.ahead_first + p->crew.ahead_count++) % AHEADS] = a;
  if (room && p->crew.idle) condition_signal(&p->crew.changed);
  else if (room && p->crew.count <= IDLE_CREW) join_crew(p); // if that fails, whoever shares does it all
  pthread_mutex_unlock(&p->crew.lock);
  if (!room) bring_ahead(p, &a);
}

static bool take_ahead(struct hmm_pager *p, struct ahead *a) {
  pthread_mutex_lock(&p->crew.lock);
  bool any = p->crew.ahead_count && !p->crew.stopping;
  if (any) {
    *a = p->crew.aheads[p->crew.ahead_first];
    p->crew.ahead_first = (p->crew.ahead_first + 1) % AHEADS;
    p->crew.ahead_count--;
  }
  pthread_mutex_unlock(&p->crew.lock);
  return any;
}

void work_ahead(struct hmm_pager *p) {
  promote(p); // faults must not wait for what nobody waits for
  struct ahead a;
  while (take_ahead(p, &a)) bring_ahead(p, &a);
}

int set_rest(const struct fault *faults, int n) {
  int left = rest.count;
  rest.faults = faults;
  rest.count = n;
  return left;
}

void promote(struct hmm_pager *p) {
  for (int i = 0; i < rest.count; i++) p->trap->put_back(p, &rest.faults[i]);
  rest.count = 0;
  if (!leads) return;
  pthread_mutex_lock(&p->crew.lock);
  if (p->crew.stopping || p->crew.idle || !join_crew(p)) { // without a successor it goes on leading, after what it is about to do
    leads = false;
    p->crew.led = false;
    condition_signal(&p->crew.changed);
  }
  pthread_mutex_unlock(&p->crew.lock);
}

int start_crew(struct hmm_pager *p) {
  pthread_mutex_lock(&p->crew.lock);
  int result = join_crew(p);
  pthread_mutex_unlock(&p->crew.lock);
  return result;
}

void dismiss(struct hmm_pager *p) {
  pthread_mutex_lock(&p->crew.lock);
  p->crew.stopping = true;
  condition_broadcast(&p->crew.changed);
  pthread_mutex_unlock(&p->crew.lock);
  if (p->trap->ring) p->trap->ring(p);
  pthread_mutex_lock(&p->crew.lock);
  while (p->crew.count) condition_wait(&p->crew.changed, &p->crew.lock, 0);
  pthread_mutex_unlock(&p->crew.lock);
}
