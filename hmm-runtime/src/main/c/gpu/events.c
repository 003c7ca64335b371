// events.c - what the program hears of its commands. Callbacks come late, on a thread of their own. A status that was
// polled tells that a command has ended, and no more: order.c does not count it as order.
#include <stdlib.h>

#include "gpu.h"

struct call { // to be made
  struct call *next;
  cl_event event;
  cl_int status;
  event_notice function;
  void *user;
  struct command *command;
};
static struct call *first_call, *last_call;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;

static void *run_calls(void *nothing) {
  while (true) {
    enter();
    while (!first_call)
      pthread_cond_wait(&called, &lock);
    struct call *one = first_call;
    first_call = one->next;
    if (!first_call) last_call = NULL;
    leave();
    one->function(one->event, one->status, one->user);
    enter();
    unuse_object(&one->command->object);
    leave();
    free(one);
  }
  return nothing;
}

static void start_calls(void) {
  static bool running;
  pthread_t thread;
  if (!running) running = !start_thread(&thread, run_calls, NULL);
}

void call_back(struct command *c) {
  bool lost = c->queue && c->queue->device->lost;
  struct callback **at = &c->callbacks;
  while (*at) {
    struct callback *one = *at;
    if (c->status > one->at) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    struct call *call = lost || options.callbacks == NEVER ? NULL : malloc(sizeof *call);
    if (call) {
      *call = (struct call){NULL, c->object.handle, c->status < 0 ? c->status : one->at, one->function, one->user, c};
      use_object(&c->object);
      if (last_call) last_call->next = call;
      else first_call = call;
      last_call = call;
      start_calls();
      pthread_cond_signal(&called);
    }
    free(one);
  }
}

struct command *find_event(cl_event event, const char *call) { return find_object(event, EVENT, call); }

cl_int gpu_clSetEventCallback(cl_event event, cl_int at, event_notice function, void *user) {
  if (!function || at < CL_COMPLETE || at > CL_SUBMITTED) return CL_INVALID_VALUE;
  struct callback *one = malloc(sizeof *one);
  if (!one) return CL_OUT_OF_HOST_MEMORY;
  enter();
  struct command *c = find_event(event, "clSetEventCallback");
  cl_int status = c ? CL_SUCCESS : CL_INVALID_EVENT;
  if (c && !(options.callbacks == LOST && c->status <= CL_COMPLETE)) {
    *one = (struct callback){c->callbacks, at, function, user};
    c->callbacks = one;
    one = NULL;
    call_back(c);
  }
  leave();
  free(one);
  return status;
}

cl_event gpu_clCreateUserEvent(cl_context context, cl_int *status) {
  cl_event handle = DRIVER(clCreateUserEvent)(context, status);
  if (!handle) return NULL;
  struct command *c = calloc(1, sizeof *c);
  enter();
  struct context *owner = find_object(context, CONTEXT, "clCreateUserEvent");
  if (c && owner) {
    c->object = (struct object){.kind = EVENT, .handle = handle, .uses = 1};
    c->type = CL_COMMAND_USER;
    c->by.call = "clCreateUserEvent";
    c->context = owner;
    c->status = CL_SUBMITTED;
    c->gated = true;
    if (new_clock(c)) list_object(&c->object);
  }
  bool made = c && c->object.listed;
  leave();
  if (made) return handle;
  free(c);
  DRIVER(clReleaseEvent)(handle);
  if (status) *status = CL_OUT_OF_HOST_MEMORY;
  return NULL;
}

cl_int gpu_clSetUserEventStatus(cl_event event, cl_int status) {
  if (status > CL_COMPLETE) return CL_INVALID_VALUE;
  enter();
  struct command *c = find_event(event, "clSetUserEventStatus");
  cl_int outcome = !c || c->type != CL_COMMAND_USER ? CL_INVALID_EVENT
                   : c->status <= CL_COMPLETE       ? CL_INVALID_OPERATION
                                                    : CL_SUCCESS;
  if (!outcome) end_command(c, status);
  leave();
  return outcome;
}

cl_int gpu_clWaitForEvents(cl_uint count, const cl_event *events) {
  if (!count || !events) return CL_INVALID_VALUE;
  cl_int status = CL_SUCCESS;
  enter();
  for (cl_uint i = 0; i < count && !status; i++) {
    struct command *c = find_event(events[i], "clWaitForEvents");
    if (!c) status = CL_INVALID_EVENT;
    else if (c->queue && c->status > CL_COMPLETE) flush_queue(c->queue);
  }
  for (cl_uint i = 0; i < count && status != CL_INVALID_EVENT; i++) {
    struct command *c = find_event(events[i], "clWaitForEvents");
    if (!c) break;
    use_object(&c->object);
    if (wait_for(c) < 0) status = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    host_learns(c);
    unuse_object(&c->object);
  }
  leave();
  return status;
}

cl_int gpu_clGetEventInfo(cl_event event, cl_uint name, size_t room, void *out, size_t *needed) {
  enter();
  struct command *c = find_event(event, "clGetEventInfo");
  cl_command_queue queue = c && c->queue ? c->queue->inner : NULL;
  cl_context context = c ? c->context->object.handle : NULL;
  cl_uint type = c ? c->type : 0, refs = c ? c->object.refs : 0;
  cl_int status = c ? c->status : 0;
  leave();
  if (!c) return CL_INVALID_EVENT;
  switch (name) {
    case CL_EVENT_COMMAND_QUEUE: return answer(&queue, sizeof queue, room, out, needed);
    case CL_EVENT_CONTEXT: return answer(&context, sizeof context, room, out, needed);
    case CL_EVENT_COMMAND_TYPE: return answer(&type, sizeof type, room, out, needed);
    case CL_EVENT_REFERENCE_COUNT: return answer(&refs, sizeof refs, room, out, needed);
    case CL_EVENT_COMMAND_EXECUTION_STATUS: return answer(&status, sizeof status, room, out, needed);
    default: return CL_INVALID_VALUE;
  }
}

cl_int gpu_clGetEventProfilingInfo(cl_event event, cl_uint name, size_t room, void *out, size_t *needed) {
  enter();
  struct command *c = find_event(event, "clGetEventProfilingInfo");
  cl_int status = !c                                                              ? CL_INVALID_EVENT
                  : !c->queue || !c->queue->profiling || c->status != CL_COMPLETE ? CL_PROFILING_INFO_NOT_AVAILABLE
                                                                                  : CL_SUCCESS;
  bool known = name >= CL_PROFILING_COMMAND_QUEUED && name <= CL_PROFILING_COMMAND_COMPLETE;
  cl_ulong nanos = !status && known ? c->times[name - CL_PROFILING_COMMAND_QUEUED] : 0;
  leave();
  if (status) return status;
  return known ? answer(&nanos, sizeof nanos, room, out, needed) : CL_INVALID_VALUE;
}

cl_int gpu_clRetainEvent(cl_event event) { return retain_object(event, EVENT, "clRetainEvent", CL_INVALID_EVENT); }

cl_int gpu_clReleaseEvent(cl_event event) { return release_object(event, EVENT, "clReleaseEvent", CL_INVALID_EVENT); }
