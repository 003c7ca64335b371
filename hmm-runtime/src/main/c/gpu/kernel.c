// kernel.c - kernels: which buffers they were given, and their launches. The driver takes a launch at once, with its
// arguments, behind an event of ours that is set when the emulated device gets to it.
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

static bool is_called(cl_kernel kernel, cl_uint argument, const char *name) {
  char text[64] = "";
  return !DRIVER(clGetKernelArgInfo)(kernel, argument, CL_KERNEL_ARG_NAME, sizeof text, text, NULL) && !strcmp(text, name);
}

// Leaves no table if it does not take one.
static void find_table(struct kernel *k) {
  for (cl_uint i = 0; i + 2 < k->count && k->built.table.shift; i++) {
    if (!is_called(k->object.handle, i, "hmm_image") || !is_called(k->object.handle, i + 2, "hmm_pages")) continue;
    k->image = i;
    return;
  }
  k->built.table.shift = 0;
}

static bool is_carrier(const struct kernel *k) {
  return k->count == 3 && is_called(k->object.handle, 0, "hmm_packed") && is_called(k->object.handle, 1, "hmm_runs") && is_called(k->object.handle, 2, "hmm_memory");
}

// The same text for as long as the process lives: commands, and what was released, outlive kernels. Inside.
static const char *lasting(const char *name) {
  static struct name {
    struct name *next;
    char text[];
  } *names;
  for (const struct name *n = names; n; n = n->next) {
    if (!strcmp(n->text, name)) return n->text;
  }
  struct name *n = malloc(sizeof *n + strlen(name) + 1);
  if (!n) return "of an unknown name";
  strcpy(n->text, name);
  n->next = names;
  names = n;
  return n->text;
}

static cl_kernel list_kernel(cl_kernel handle, struct built built) {
  if (!handle) return NULL;
  struct kernel *k = calloc(1, sizeof *k);
  cl_uint count = 0;
  if (k && !DRIVER(clGetKernelInfo)(handle, CL_KERNEL_NUM_ARGS, sizeof count, &count, NULL))
    k->arguments = calloc(count + 1, sizeof *k->arguments);
  if (!k || !k->arguments) {
    free(k);
    DRIVER(clReleaseKernel)(handle);
    return NULL;
  }
  char name[256] = "";
  DRIVER(clGetKernelInfo)(handle, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  k->object = (struct object){.kind = KERNEL, .handle = handle};
  k->count = count;
  k->built = built;
  for (cl_uint i = 0; i < count; i++) {
    cl_bitfield qualifier = 0;
    cl_int status = DRIVER(clGetKernelArgInfo)(handle, i, CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof qualifier, &qualifier,
                                               NULL);
    k->arguments[i].constant = !status && qualifier & CL_KERNEL_ARG_TYPE_CONST;
  }
  find_table(k);
  k->carries = is_carrier(k);
  enter();
  k->name = lasting(name);
  list_object(&k->object);
  leave();
  return handle;
}

void destroy_kernel(struct kernel *k) {
  DRIVER(clReleaseKernel)(k->object.handle);
  free(k->arguments);
}

static cl_kernel made(cl_kernel handle, struct built built, cl_int *status) {
  cl_kernel listed = list_kernel(handle, built);
  if (handle && !listed && status) *status = CL_OUT_OF_HOST_MEMORY;
  return listed;
}

cl_kernel gpu_clCreateKernel(cl_program program, const char *name, cl_int *status) {
  struct reined reined;
  enter();
  begin_call(program, PROGRAM, "clCreateKernel", &reined);
  leave();
  if (reined.refused) {
    if (status) *status = reined.refused;
    return NULL;
  }
  struct built built = how_built(program, "clCreateKernel");
  return made(DRIVER(clCreateKernel)(program, name, status), built, status);
}

cl_int gpu_clCreateKernelsInProgram(cl_program program, cl_uint room, cl_kernel *kernels, cl_uint *count) {
  cl_uint n = 0;
  struct built built = how_built(program, "clCreateKernelsInProgram");
  cl_int status = DRIVER(clCreateKernelsInProgram)(program, room, kernels, &n);
  if (count) *count = n;
  for (cl_uint i = 0; !status && kernels && i < n; i++) {
    if (!list_kernel(kernels[i], built)) status = CL_OUT_OF_HOST_MEMORY;
  }
  return status;
}

cl_kernel gpu_clCloneKernel(cl_kernel kernel, cl_int *status) {
  cl_kernel handle = made(DRIVER(clCloneKernel)(kernel, status), (struct built){0}, status);
  enter();
  const struct kernel *from = find_object(kernel, KERNEL, "clCloneKernel");
  struct kernel *to = handle ? find_object(handle, KERNEL, "clCloneKernel") : NULL;
  if (from && to) {
    memcpy(to->arguments, from->arguments, from->count * sizeof *to->arguments);
    to->svm = from->svm;
    to->built = from->built;
    to->image = from->image;
    to->carries = from->carries;
    to->runs = from->runs;
  }
  leave();
  return handle;
}

cl_int gpu_clRetainKernel(cl_kernel kernel) {
  return retain_object(kernel, KERNEL, "clRetainKernel", CL_INVALID_KERNEL);
}

cl_int gpu_clReleaseKernel(cl_kernel kernel) {
  return release_object(kernel, KERNEL, "clReleaseKernel", CL_INVALID_KERNEL);
}

cl_int gpu_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t bytes, const void *value) {
  cl_mem memory = NULL;
  if (value && bytes == sizeof memory) memcpy(&memory, value, sizeof memory);
  enter();
  struct kernel *k = find_object(kernel, KERNEL, "clSetKernelArg");
  struct memory *m = memory ? find_object(memory, MEMORY, "clSetKernelArg") : NULL;
  uint64_t serial = m ? m->object.serial : 0;
  leave();
  if (!k) return CL_INVALID_KERNEL;
  cl_int status = DRIVER(clSetKernelArg)(kernel, index, bytes, value);
  if (status) return status;
  enter();
  k->arguments[index] = (struct argument){m ? memory : NULL, serial, NULL, k->arguments[index].constant};
  if (k->carries && index == 1 && value && bytes == sizeof k->runs) memcpy(&k->runs, value, sizeof k->runs);
  leave();
  return status;
}

cl_int gpu_clSetKernelArgSVMPointer(cl_kernel kernel, cl_uint index, const void *address) {
  if (!options.svm) return CL_INVALID_OPERATION;
  enter();
  bool known = !address || options.svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM || svm_bytes(address);
  leave();
  if (!known) return CL_INVALID_ARG_VALUE;
  cl_int status = DRIVER(clSetKernelArgSVMPointer)(kernel, index, address);
  if (status) return status;
  enter();
  struct kernel *k = find_object(kernel, KERNEL, "clSetKernelArgSVMPointer");
  if (k) {
    k->svm = true;
    k->arguments[index] = (struct argument){.svm = address, .constant = k->arguments[index].constant};
  }
  leave();
  return k ? CL_SUCCESS : CL_INVALID_KERNEL;
}

cl_int gpu_clSetKernelExecInfo(cl_kernel kernel, cl_uint name, size_t bytes, const void *value) {
  bool system = name == CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM;
  if (!(options.svm & (system ? CL_DEVICE_SVM_FINE_GRAIN_SYSTEM : ~0u))) return CL_INVALID_OPERATION;
  if (system && (bytes != sizeof(cl_uint) || !value)) return CL_INVALID_VALUE;
  // the driver below would refuse it: what it has not is ours to emulate
  cl_int status = system ? CL_SUCCESS : DRIVER(clSetKernelExecInfo)(kernel, name, bytes, value);
  enter();
  struct kernel *k = find_object(kernel, KERNEL, "clSetKernelExecInfo");
  if (k && !status && name == CL_KERNEL_EXEC_INFO_SVM_PTRS) k->svm = true;
  leave();
  return k ? status : CL_INVALID_KERNEL;
}

cl_int gpu_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_uint name, size_t room, void *out,
                                    size_t *needed) {
  cl_int status = DRIVER(clGetKernelWorkGroupInfo)(kernel, device, name, room, out, needed);
  size_t *most = out;
  if (!status && name == CL_KERNEL_WORK_GROUP_SIZE && most && *most > options.profile->work_group)
    *most = options.profile->work_group;
  return status;
}

// ---- launches ----

static cl_int run_kernel(struct command *c) {
  if (c->uses_svm) open_svm(c->context, true);
  cl_int status = DRIVER(clSetUserEventStatus)(c->gate, CL_COMPLETE);
  cl_int ended = CL_SUCCESS;
  if (!status) {
    cl_int waited = DRIVER(clWaitForEvents)(1, &c->kernel);
    status = DRIVER(clGetEventInfo)(c->kernel, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof ended, &ended, NULL);
    if (!status && ended >= 0) status = waited;
  }
  if (c->uses_svm) open_svm(c->context, false);
  return ended < 0 ? ended : status;
}

// The frames of a kernel that has none, or has not been given them, are none: then all of its image counts.
static bool take_table(struct command *c, const struct kernel *k, unsigned image) {
  const struct table_form *form = &k->built.table;
  if (!form->shift || !k->arguments[k->image].memory) return true;
  const struct argument *a = &k->arguments[k->image + 2];
  const struct memory *m = a->memory ? find_serial(a->memory, MEMORY, a->serial) : NULL;
  const void *table = m ? m->root->device + m->origin : a->svm;
  size_t bytes = m ? m->bytes : svm_bytes(a->svm);
  return (form->at + form->pages) * sizeof(uint32_t) > bytes || take_frames(c, image, form, (const uint32_t *)table + form->at);
}

static bool use_bytes(struct command *c, struct memory *m, size_t first, size_t bytes, bool write) {
  check_mapped(&c->by, m, first, bytes, write);
  return uses(c, m, first, bytes, write);
}

// What a carrier's runs have of packed memory (argument 0), where they follow each other, or of their places. One that ends before it begins has all blocks there are.
static cl_int use_runs(struct command *c, const struct runs *r, cl_uint index, struct memory *m, bool write) {
  for (unsigned i = 0; i < RUNS; i++) {
    size_t first = (size_t)(index ? r->place[i] : r->at[i]) * RUN_BLOCK, bytes = (size_t)(r->at[i + 1] - r->at[i]) * RUN_BLOCK;
    char text[DOER];
    if (bytes && first + bytes > m->bytes) { // the driver below would carry it all the same
      offend("table beyond its memory", "%s: run %u of its table is bytes [%zu, %zu) of argument %u, a buffer of %zu bytes", name_doer(&c->by, text), i, first, first + bytes, index, m->bytes);
      return CL_INVALID_KERNEL_ARGS;
    }
    if (bytes && index && !use_bytes(c, m, first, bytes, write)) return CL_OUT_OF_HOST_MEMORY;
  }
  bool used = index || use_bytes(c, m, (size_t)r->at[0] * RUN_BLOCK, (size_t)(r->at[RUNS] - r->at[0]) * RUN_BLOCK, write);
  return used ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
}

static cl_int take_arguments(struct command *c, const struct kernel *k) {
  unsigned image = 0; // the access that this is
  char text[DOER];
  for (cl_uint i = 0; i < k->count; i++) {
    const struct argument *a = &k->arguments[i];
    if (!a->memory) continue;
    struct memory *m = find_serial(a->memory, MEMORY, a->serial);
    if (!m) {
      offend("use after release", "%s is given argument %u, a buffer that was released (%p)", name_doer(&c->by, text), i, (void *)a->memory);
      return CL_INVALID_KERNEL_ARGS;
    }
    if (m->bytes > options.allocation_bytes && !k->built.takes_large) {
      offend("large buffer", "%s is given argument %u, a buffer of %zu bytes, and was built without %s", name_doer(&c->by, text), i, m->bytes, LARGE_BUFFERS_OPTION);
      return CL_INVALID_KERNEL_ARGS;
    }
    bool write = !a->constant && !(m->flags & CL_MEM_READ_ONLY);
    cl_int status = commit(m, c->queue->device);
    if (status) return status;
    if (k->carries) status = use_runs(c, &k->runs, i, m, write);
    else if (!use_bytes(c, m, 0, m->bytes, write)) status = CL_OUT_OF_HOST_MEMORY;
    if (status) return status;
    if (i == k->image) image = c->access_count - 1;
  }
  if (!take_table(c, k, image)) return CL_OUT_OF_HOST_MEMORY;
  if (free_bytes(c->queue->device) < options.kernel_bytes) return CL_MEM_OBJECT_ALLOCATION_FAILURE;
  if (k->svm) check_svm_mapped(&c->by, c->context);
  c->uses_svm = k->svm;
  return CL_SUCCESS;
}

static bool too_large(cl_uint dimensions, const size_t *local) {
  size_t items = 1;
  for (cl_uint i = 0; local && i < dimensions && i < 3; i++)
    items *= local[i];
  return items > options.profile->work_group;
}

static cl_command_queue inner_of(const struct queue *q) {
  for (unsigned i = 0; i < q->context->count; i++) {
    if (q->context->devices[i] == q->device) return q->context->inner[i];
  }
  return q->inner;
}

static cl_int launch(const char *call, cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                     const size_t *offset, const size_t *global, const size_t *local, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_NDRANGE_KERNEL, call, run_kernel, COMPUTE);
  const struct kernel *k = find_object(kernel, KERNEL, call);
  if (!c || !k) return refuse(c, k ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_KERNEL);
  c->by.kernel = k->name;
  status = check_waits(c->context, waits, wait, call);
  if (!status) status = take_arguments(c, k);
  if (!status && too_large(dimensions, local)) status = CL_INVALID_WORK_GROUP_SIZE;
  if (status) return refuse(c, status);
  cl_command_queue inner = inner_of(q);
  leave(); // what the driver does here may take long; the command keeps its queue and its buffers
  c->gate = DRIVER(clCreateUserEvent)(c->context->object.handle, &status);
  if (!status)
    status = DRIVER(clEnqueueNDRangeKernel)(inner, kernel, dimensions, offset, global, local, 1, &c->gate, &c->kernel);
  enter();
  return status ? refuse(c, status) : submit(c, waits, wait, event, false);
}

cl_int gpu_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                  const size_t *global, const size_t *local, WAIT_LIST) {
  return launch("clEnqueueNDRangeKernel", queue, kernel, dimensions, offset, global, local, waits, wait, event);
}

cl_int gpu_clEnqueueTask(cl_command_queue queue, cl_kernel kernel, WAIT_LIST) {
  return launch("clEnqueueTask", queue, kernel, 1, NULL, (const size_t[]){1}, (const size_t[]){1}, waits, wait, event);
}

cl_int gpu_clEnqueueNativeKernel(cl_command_queue queue, void (*function)(void *), void *with, size_t bytes,
                                 cl_uint count, const cl_mem *memories, const void **places, WAIT_LIST) {
  (void)queue, (void)function, (void)with, (void)bytes, (void)count, (void)memories, (void)places, (void)waits,
      (void)wait, (void)event;
  return CL_INVALID_OPERATION; // as the device says
}
