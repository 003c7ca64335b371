// functions.h - the entries of the table that an OpenCL loader hands to a layer, in its order (struct _cl_icd_dispatch
// of Khronos' cl_icd.h).
// The order is ABI: entries are only ever added at the end.
#define CL_FUNCTIONS(F) \
  F(clGetPlatformIDs) F(clGetPlatformInfo) F(clGetDeviceIDs) F(clGetDeviceInfo) F(clCreateContext) \
  F(clCreateContextFromType) F(clRetainContext) F(clReleaseContext) F(clGetContextInfo) F(clCreateCommandQueue) \
  F(clRetainCommandQueue) F(clReleaseCommandQueue) F(clGetCommandQueueInfo) F(clSetCommandQueueProperty) \
  F(clCreateBuffer) F(clCreateImage2D) F(clCreateImage3D) F(clRetainMemObject) F(clReleaseMemObject) \
  F(clGetSupportedImageFormats) F(clGetMemObjectInfo) F(clGetImageInfo) F(clCreateSampler) F(clRetainSampler) \
  F(clReleaseSampler) F(clGetSamplerInfo) F(clCreateProgramWithSource) F(clCreateProgramWithBinary) F(clRetainProgram) \
  F(clReleaseProgram) F(clBuildProgram) F(clUnloadCompiler) F(clGetProgramInfo) F(clGetProgramBuildInfo) \
  F(clCreateKernel) F(clCreateKernelsInProgram) F(clRetainKernel) F(clReleaseKernel) F(clSetKernelArg) \
  F(clGetKernelInfo) F(clGetKernelWorkGroupInfo) F(clWaitForEvents) F(clGetEventInfo) F(clRetainEvent) \
  F(clReleaseEvent) F(clGetEventProfilingInfo) F(clFlush) F(clFinish) F(clEnqueueReadBuffer) F(clEnqueueWriteBuffer) \
  F(clEnqueueCopyBuffer) F(clEnqueueReadImage) F(clEnqueueWriteImage) F(clEnqueueCopyImage) \
  F(clEnqueueCopyImageToBuffer) F(clEnqueueCopyBufferToImage) F(clEnqueueMapBuffer) F(clEnqueueMapImage) \
  F(clEnqueueUnmapMemObject) F(clEnqueueNDRangeKernel) F(clEnqueueTask) F(clEnqueueNativeKernel) F(clEnqueueMarker) \
  F(clEnqueueWaitForEvents) F(clEnqueueBarrier) F(clGetExtensionFunctionAddress) F(clCreateFromGLBuffer) \
  F(clCreateFromGLTexture2D) F(clCreateFromGLTexture3D) F(clCreateFromGLRenderbuffer) F(clGetGLObjectInfo) \
  F(clGetGLTextureInfo) F(clEnqueueAcquireGLObjects) F(clEnqueueReleaseGLObjects) F(clGetGLContextInfoKHR) \
  F(clGetDeviceIDsFromD3D10KHR) F(clCreateFromD3D10BufferKHR) F(clCreateFromD3D10Texture2DKHR) \
  F(clCreateFromD3D10Texture3DKHR) F(clEnqueueAcquireD3D10ObjectsKHR) F(clEnqueueReleaseD3D10ObjectsKHR) \
  F(clSetEventCallback) F(clCreateSubBuffer) F(clSetMemObjectDestructorCallback) F(clCreateUserEvent) \
  F(clSetUserEventStatus) F(clEnqueueReadBufferRect) F(clEnqueueWriteBufferRect) F(clEnqueueCopyBufferRect) \
  F(clCreateSubDevicesEXT) F(clRetainDeviceEXT) F(clReleaseDeviceEXT) F(clCreateEventFromGLsyncKHR) \
  F(clCreateSubDevices) F(clRetainDevice) F(clReleaseDevice) F(clCreateImage) F(clCreateProgramWithBuiltInKernels) \
  F(clCompileProgram) F(clLinkProgram) F(clUnloadPlatformCompiler) F(clGetKernelArgInfo) F(clEnqueueFillBuffer) \
  F(clEnqueueFillImage) F(clEnqueueMigrateMemObjects) F(clEnqueueMarkerWithWaitList) F(clEnqueueBarrierWithWaitList) \
  F(clGetExtensionFunctionAddressForPlatform) F(clCreateFromGLTexture) F(clGetDeviceIDsFromD3D11KHR) \
  F(clCreateFromD3D11BufferKHR) F(clCreateFromD3D11Texture2DKHR) F(clCreateFromD3D11Texture3DKHR) \
  F(clCreateFromDX9MediaSurfaceKHR) F(clEnqueueAcquireD3D11ObjectsKHR) F(clEnqueueReleaseD3D11ObjectsKHR) \
  F(clGetDeviceIDsFromDX9MediaAdapterKHR) F(clEnqueueAcquireDX9MediaSurfacesKHR) \
  F(clEnqueueReleaseDX9MediaSurfacesKHR) F(clCreateFromEGLImageKHR) F(clEnqueueAcquireEGLObjectsKHR) \
  F(clEnqueueReleaseEGLObjectsKHR) F(clCreateEventFromEGLSyncKHR) F(clCreateCommandQueueWithProperties) \
  F(clCreatePipe) F(clGetPipeInfo) F(clSVMAlloc) F(clSVMFree) F(clEnqueueSVMFree) F(clEnqueueSVMMemcpy) \
  F(clEnqueueSVMMemFill) F(clEnqueueSVMMap) F(clEnqueueSVMUnmap) F(clCreateSamplerWithProperties) \
  F(clSetKernelArgSVMPointer) F(clSetKernelExecInfo) F(clGetKernelSubGroupInfoKHR) F(clCloneKernel) \
  F(clCreateProgramWithIL) F(clEnqueueSVMMigrateMem) F(clGetDeviceAndHostTimer) F(clGetHostTimer) \
  F(clGetKernelSubGroupInfo) F(clSetDefaultDeviceCommandQueue) F(clSetProgramReleaseCallback) \
  F(clSetProgramSpecializationConstant) F(clCreateBufferWithProperties) F(clCreateImageWithProperties) \
  F(clSetContextDestructorCallback)

// Those that this layer answers or changes; the driver gets all others as they come.
#define LAYERED_FUNCTIONS(F) \
  F(clGetDeviceIDs) F(clGetDeviceInfo) F(clGetExtensionFunctionAddress) F(clGetExtensionFunctionAddressForPlatform) \
  F(clCreateContext) F(clCreateContextFromType) F(clRetainContext) F(clReleaseContext) F(clCreateCommandQueue) \
  F(clCreateCommandQueueWithProperties) F(clRetainCommandQueue) F(clReleaseCommandQueue) F(clFlush) F(clFinish) \
  F(clCreateBuffer) F(clCreateBufferWithProperties) F(clCreateSubBuffer) F(clRetainMemObject) F(clReleaseMemObject) \
  F(clGetMemObjectInfo) F(clSetMemObjectDestructorCallback) F(clCreateImage) F(clCreateImageWithProperties) \
  F(clCreateImage2D) F(clCreateImage3D) F(clCreatePipe) F(clGetSupportedImageFormats) F(clSVMAlloc) F(clSVMFree) \
  F(clEnqueueSVMFree) F(clEnqueueSVMMemcpy) F(clEnqueueSVMMemFill) F(clEnqueueSVMMap) F(clEnqueueSVMUnmap) \
  F(clEnqueueSVMMigrateMem) F(clCreateProgramWithSource) F(clCreateProgramWithBinary) F(clCreateProgramWithIL) \
  F(clCreateProgramWithBuiltInKernels) F(clLinkProgram) F(clBuildProgram) F(clRetainProgram) F(clReleaseProgram) F(clCreateKernel) \
  F(clCreateKernelsInProgram) F(clCloneKernel) F(clRetainKernel) F(clReleaseKernel) F(clSetKernelArg) \
  F(clSetKernelArgSVMPointer) F(clSetKernelExecInfo) F(clGetKernelWorkGroupInfo) F(clCreateUserEvent) \
  F(clSetUserEventStatus) F(clWaitForEvents) F(clGetEventInfo) F(clGetEventProfilingInfo) F(clRetainEvent) \
  F(clReleaseEvent) F(clSetEventCallback) F(clEnqueueReadBuffer) F(clEnqueueWriteBuffer) F(clEnqueueReadBufferRect) \
  F(clEnqueueWriteBufferRect) F(clEnqueueCopyBuffer) F(clEnqueueCopyBufferRect) F(clEnqueueFillBuffer) \
  F(clEnqueueMapBuffer) F(clEnqueueUnmapMemObject) F(clEnqueueMigrateMemObjects) F(clEnqueueNDRangeKernel) \
  F(clEnqueueTask) F(clEnqueueNativeKernel) F(clEnqueueMarker) F(clEnqueueBarrier) F(clEnqueueWaitForEvents) \
  F(clEnqueueMarkerWithWaitList) F(clEnqueueBarrierWithWaitList)
