// queue.c - the program's command queues. Nothing in them begins before they are flushed.
#include <stdlib.h>

#include "gpu.h"

static cl_command_queue adopt(cl_context context, cl_device_id id, cl_command_queue inner, cl_int *status) {
  if (!inner) return NULL;
  cl_bitfield properties = 0;
  static unsigned queues;
  cl_int outcome = DRIVER(clGetCommandQueueInfo)(inner, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
  struct queue *q = calloc(1, sizeof *q);
  if (!q) outcome = CL_OUT_OF_HOST_MEMORY;
  enter();
  struct context *c = find_object(context, CONTEXT, "clCreateCommandQueue");
  if (!outcome && !c) outcome = CL_INVALID_CONTEXT;
  if (!outcome && device_of(id)->lost) outcome = CL_OUT_OF_RESOURCES;
  if (!outcome && (q->slot = take_slot()) == MAX_QUEUES) outcome = CL_OUT_OF_RESOURCES;
  if (!outcome) {
    *q = (struct queue){.object = {.kind = QUEUE, .handle = inner},
                        .number = ++queues,
                        .context_number = c->number,
                        .context = c,
                        .device = device_of(id),
                        .inner = inner,
                        .slot = q->slot,
                        .in_order = !(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE),
                        .profiling = properties & CL_QUEUE_PROFILING_ENABLE};
    use_object(&c->object);
    list_object(&q->object);
  }
  leave();
  if (status) *status = outcome;
  if (!outcome) return inner;
  free(q);
  DRIVER(clReleaseCommandQueue)(inner);
  return NULL;
}

void destroy_queue(struct queue *q) {
  DRIVER(clReleaseCommandQueue)(q->inner);
  enter();
  free_slot(q->slot);
  unuse_object(&q->context->object);
  leave();
}

cl_command_queue gpu_clCreateCommandQueue(cl_context context, cl_device_id id, cl_bitfield properties, cl_int *status) {
  return adopt(context, id, DRIVER(clCreateCommandQueue)(context, id, properties, status), status);
}

cl_command_queue gpu_clCreateCommandQueueWithProperties(cl_context context, cl_device_id id,
                                                        const cl_bitfield *properties, cl_int *status) {
  return adopt(context, id, DRIVER(clCreateCommandQueueWithProperties)(context, id, properties, status), status);
}

cl_int gpu_clRetainCommandQueue(cl_command_queue queue) {
  return retain_object(queue, QUEUE, "clRetainCommandQueue", CL_INVALID_COMMAND_QUEUE);
}

cl_int gpu_clReleaseCommandQueue(cl_command_queue queue) {
  enter();
  struct queue *q = find_object(queue, QUEUE, "clReleaseCommandQueue");
  if (q) flush_queue(q);
  leave();
  return q ? release_object(queue, QUEUE, "clReleaseCommandQueue", CL_INVALID_COMMAND_QUEUE) : CL_INVALID_COMMAND_QUEUE;
}

void flush_queue(struct queue *q) {
  struct command *c = q->last;
  while (c && !c->flushed && c->previous && !c->previous->flushed)
    c = c->previous;
  for (; c; c = c->next) {
    if (c->flushed) continue;
    c->flushed = true;
    c->status = CL_SUBMITTED;
    c->times[1] = now_nanos();
    if (c->ready_at < c->times[1]) c->ready_at = c->times[1];
    call_back(c);
    become_ready(c);
  }
}

cl_int gpu_clFlush(cl_command_queue queue) {
  enter();
  struct queue *q = find_object(queue, QUEUE, "clFlush");
  cl_int status = !q ? CL_INVALID_COMMAND_QUEUE : q->device->lost ? options.profile->after_loss : CL_SUCCESS;
  if (!status) flush_queue(q);
  leave();
  return status;
}

cl_int gpu_clFinish(cl_command_queue queue) {
  enter();
  struct queue *q = find_object(queue, QUEUE, "clFinish");
  if (q) {
    use_object(&q->object);
    flush_queue(q);
    uint64_t until = q->sequence;
    while (q->first && q->first->sequence <= until)
      pthread_cond_wait(&changed, &lock);
    host_learns_queue(q);
    unuse_object(&q->object);
  }
  cl_int status = !q ? CL_INVALID_COMMAND_QUEUE : q->device->lost ? options.profile->after_loss : CL_SUCCESS;
  leave();
  return status;
}
