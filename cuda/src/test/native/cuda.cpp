// A stand-in for libcuda.so.1 for tests: the driver calls that the backend makes, on host memory,
// with the project's own kernel sources compiled for the processor. Each allocation has guards. What
// is put into a stream happens when somebody waits for it and no sooner, so that memory which is
// used again or freed too early shows.
#include "emulated.h"
#include "resid.cu"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <ucontext.h>
#include <utility>
#include <vector>

EmulatedIndex* emulatedThread;
EmulatedIndex emulatedBlock, emulatedBlockSize, emulatedGridSize;
unsigned char* emulatedDynamic;

namespace {

// ---- fibers

const int kStack = 64 * 1024;
const int kMostThreads = 256;
const int kWarp = 32;

struct Fiber {
  EmulatedIndex index;
  ucontext_t context;
  jmp_buf at;
  std::vector<char> stack;
  bool started = false;
  bool running = false;
  int exchanges = 0;
  double offered[2];
};

struct Barrier {
  int arrived = 0;
  int generation = 0;
  int line = 0;
};

// The order in which threads of a block, and blocks, take turns: ascending, descending, or mixed.
int order;
uint64_t mixing;
int turns[kMostThreads];

void wrong(const char* what, int line) {
  std::fprintf(stderr, "emulated GPU: %s, line %d\n", what, line);
  std::abort();
}

Fiber fibers[kMostThreads];
Fiber* current;
jmp_buf scheduler;
int threads;
int live;
int liveInWarp[kMostThreads / kWarp];
Barrier blockBarrier;
Barrier warpBarriers[kMostThreads / kWarp];
void (*kernel)(void**);
void** kernelArguments;

__attribute__((noinline)) void yield() {
  Fiber* own = current;
  if (_setjmp(own->at) == 0) {
    _longjmp(scheduler, 1);
  }
}

void release(Barrier& barrier) {
  barrier.arrived = 0;
  barrier.generation++;
}

__attribute__((noinline)) void wait(Barrier& barrier, int all, int line) {
  int generation = barrier.generation;
  if (barrier.arrived > 0 && barrier.line != line) {
    wrong("threads wait for each other at different places", line);
  }
  barrier.line = line;
  if (++barrier.arrived == all) {
    release(barrier);
    return;
  }
  while (barrier.generation == generation) {
    yield();
  }
}

// A fiber runs one thread of each block that is launched, for ever.
void body() {
  for (;;) {
    Fiber* own = current;
    kernel(kernelArguments);
    own->running = false;
    int warp = own->index.x / kWarp;
    live--;
    liveInWarp[warp]--;
    if (live > 0 && blockBarrier.arrived == live) {
      release(blockBarrier);
    }
    if (liveInWarp[warp] > 0 && warpBarriers[warp].arrived == liveInWarp[warp]) {
      release(warpBarriers[warp]);
    }
    yield();
  }
}

__attribute__((noinline)) void resume(Fiber& fiber) {
  current = &fiber;
  emulatedThread = &fiber.index;
  if (_setjmp(scheduler) == 0) {
    if (!fiber.started) {
      fiber.started = true;
      fiber.stack.resize(kStack);
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, body, 0);
      setcontext(&fiber.context);
    }
    _longjmp(fiber.at, 1);
  }
}

void takeTurns() {
  for (int t = 0; t < threads; t++) {
    turns[t] = order == 1 ? threads - 1 - t : t;
  }
  if (order > 1) {
    for (int t = threads - 1; t > 0; t--) {
      mixing = mixing * 6364136223846793005u + 1442695040888963407u;
      std::swap(turns[t], turns[(mixing >> 33) % (t + 1)]);
    }
  }
}

extern "C" {
extern char __start_resid_shared[] __attribute__((visibility("hidden")));
extern char __stop_resid_shared[] __attribute__((visibility("hidden")));
}

void runBlock() {
  takeTurns();
  std::memset(__start_resid_shared, 0xFF, __stop_resid_shared - __start_resid_shared);
  live = threads;
  blockBarrier = Barrier();
  for (int w = 0; w * kWarp < threads; w++) {
    warpBarriers[w] = Barrier();
    liveInWarp[w] = threads - w * kWarp < kWarp ? threads - w * kWarp : kWarp;
  }
  for (int t = 0; t < threads; t++) {
    fibers[t].index = {(unsigned)t, 0, 0};
    fibers[t].running = true;
    fibers[t].exchanges = 0;
  }
  while (live > 0) {
    for (int t = 0; t < threads; t++) {
      if (fibers[turns[t]].running) {
        resume(fibers[turns[t]]);
      }
    }
  }
}

// ---- kernels by name; kernels.inc is made from the sources by the test that compiles this

bool reachable(const void* address);

template <class A>
void requireReachable(const char*, A) {}
template <class A>
void requireReachable(const char* name, A* address) {
  if (address != nullptr && !reachable(address)) {
    std::fprintf(stderr, "emulated GPU: %s was given memory of another GPU, or none\n", name);
    std::abort();
  }
  if ((uintptr_t)address % alignof(A) != 0) {
    std::fprintf(stderr, "emulated GPU: %s was given an address that is not aligned\n", name);
    std::abort();
  }
}

template <class... A, std::size_t... I>
void spread(const char* name, void (*function)(A...), void** arguments, std::index_sequence<I...>) {
  if (name != nullptr) {
    (requireReachable(name, *reinterpret_cast<A*>(arguments[I])), ...);
  } else {
    function(*reinterpret_cast<A*>(arguments[I])...);
  }
}
// Runs a kernel for one thread; with a name, looks at its pointers instead.
template <class... A>
void spread(const char* name, void (*function)(A...), void** arguments) {
  spread(name, function, arguments, std::index_sequence_for<A...>());
}

template <class... A>
constexpr int countOf(void (*)(A...)) {
  return sizeof...(A);
}

#define KERNEL(name)                       \
  {#name, countOf(name),                   \
   [](void** a) { spread(nullptr, name, a); }, \
   [](void** a) { spread(#name, name, a); }},
struct Entry {
  const char* name;
  int count;
  void (*run)(void**);
  void (*check)(void**);
};
const Entry kKernels[] = {
#include "kernels.inc"
};

// ---- memory

struct Allocation {
  size_t bytes;
  int device;
};

std::mutex lock;
std::map<char*, Allocation> allocations;
// The GPU of the context that is current in a thread; -1 where none was set.
thread_local int currentDevice = -1;
const int kMostDevices = 8;
long launchesOf[kMostDevices];
int failingDevice = -1;
size_t inUse;
size_t total = size_t(4) << 30;
long launches;
long failLaunchAt = -1;
int failWith;
int failModule;
int sticky;
int deviceCount = 2;
int driverVersion = 13000;
int capabilityMajor = 9;
std::string loadedImage;
const size_t kGuard = 64;
const unsigned char kGuardByte = 0xA5;

bool guardsAreWhole(char* at, size_t bytes) {
  for (size_t i = 0; i < kGuard; i++) {
    if ((unsigned char)at[bytes + i] != kGuardByte || (unsigned char)at[-1 - (long)i] != kGuardByte) {
      return false;
    }
  }
  return true;
}

void checkGuards() {
  for (auto& allocation : allocations) {
    if (!guardsAreWhole(allocation.first, allocation.second.bytes)) {
      std::fprintf(stderr, "emulated GPU: something was written beside an allocation\n");
      std::abort();
    }
  }
}

// Whether a range lies in one allocation of the current GPU.
bool inside(const void* address, size_t bytes) {
  char* at = (char*)address;
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) {
    return false;
  }
  --after;
  return after->second.device == currentDevice
      && at + bytes <= after->first + after->second.bytes;
}

bool reachable(const void* address) { return inside(address, 0); }

const int kOutOfMemory = 2, kInvalidValue = 1, kInvalidDevice = 101, kInvalidContext = 201,
          kInvalidHandle = 400, kNotFound = 500, kIllegalAddress = 700;

// ---- streams, one a GPU: what waits in them

struct Stream {
  std::deque<std::function<void()>> waiting;
  long put = 0;
  long done = 0;
};
Stream streams[kMostDevices];
const uintptr_t kStream = 0x5100;

struct Event {
  int device = 0;
  long after = 0;
};

void put(std::function<void()> work) {
  streams[currentDevice].waiting.push_back(std::move(work));
  streams[currentDevice].put++;
}

void finish(int device, long upTo) {
  Stream& stream = streams[device];
  while (stream.done < upTo) {
    std::function<void()> work = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    stream.done++;
    work();
  }
}

void finish(int device) { finish(device, streams[device].put); }

void finishAll() {
  for (int device = 0; device < kMostDevices; device++) {
    finish(device);
  }
}

// Whether a stream is that of the current context.
bool own(void* stream) {
  return currentDevice >= 0 && (uintptr_t)stream == kStream + currentDevice;
}

}  // namespace

void emulatedBlockBarrier(int line) { wait(blockBarrier, live, line); }

double emulatedExchange(double value, unsigned mask, int step, int line) {
  Fiber* own = current;
  int slot = own->exchanges++ & 1;
  own->offered[slot] = value;
  int warp = own->index.x / kWarp;
  if (mask != 0xffffffffu || liveInWarp[warp] != kWarp) {
    wrong("a shuffle without some of the lanes", line);
  }
  wait(warpBarriers[warp], kWarp, line);
  return fibers[own->index.x ^ step].offered[slot];
}

#define EXPORT extern "C" __attribute__((visibility("default")))

// ---- control, for tests

EXPORT void resid_emulated_fail_launch(long number, int code) {
  failLaunchAt = number < 0 ? -1 : launches + number;
  failWith = code;
  failingDevice = -1;
  sticky = 0;
}
EXPORT void resid_emulated_fail_device(int device, long number, int code) {
  resid_emulated_fail_launch(number, code);
  failLaunchAt = launchesOf[device] + number;
  failingDevice = device;
}
EXPORT long resid_emulated_launches_of(int device) { return launchesOf[device]; }
EXPORT void resid_emulated_memory(long bytes) { total = bytes; }
EXPORT long resid_emulated_in_use() {
  std::lock_guard<std::mutex> guard(lock);
  finishAll();
  checkGuards();
  return (long)inUse;
}
EXPORT int resid_emulated_has_binary() { return loadedImage.compare(0, 8, "stand-in") == 0; }
EXPORT long resid_emulated_launches() { return launches; }
// 0 ascending, 1 descending, 2 mixed.
EXPORT void resid_emulated_order(int which) {
  std::lock_guard<std::mutex> guard(lock);
  finishAll();
  order = which;
  mixing = 1;
}
EXPORT void resid_emulated_fail_module(int code) { failModule = code; }
// For the stand-in for cuBLAS: waits for a stream, and says whose context is current.
EXPORT int resid_emulated_wait(void* stream) {
  std::lock_guard<std::mutex> guard(lock);
  if (own(stream)) {
    finish(currentDevice);
  }
  return own(stream) ? currentDevice : -1;
}
EXPORT int resid_emulated_current() { return currentDevice; }
EXPORT void resid_emulated_device(int count, int version, int capability) {
  deviceCount = count;
  driverVersion = version;
  capabilityMajor = capability;
}

// ---- the driver's calls

EXPORT int cuInit(unsigned) { return 0; }
EXPORT int cuDriverGetVersion(int* version) { return *version = driverVersion, 0; }
EXPORT int cuDeviceGetCount(int* count) { return *count = deviceCount, 0; }
EXPORT int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal >= 0 && ordinal < deviceCount ? 0 : kInvalidDevice;
}
EXPORT int cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, length, "emulated GPU");
  return 0;
}
EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = total, 0; }
EXPORT int cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 75:
      return *value = capabilityMajor, 0;
    case 76:
      return *value = 0, 0;
    case 8:
      return *value = 48 * 1024, 0;
    default:
      return kInvalidValue;
  }
}
EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = (void*)(uintptr_t)(device + 1);
  return 0;
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
EXPORT int cuDevicePrimaryCtxRelease(int) { return 0; }
EXPORT int cuCtxSetCurrent(void* context) {
  currentDevice = context == nullptr ? -1 : (int)(uintptr_t)context - 1;
  return sticky;
}
EXPORT int cuStreamCreate(void** stream, unsigned) {
  *stream = (void*)(kStream + currentDevice);
  return currentDevice < 0 ? kInvalidContext : 0;
}
EXPORT int cuStreamDestroy_v2(void*) { return 0; }
EXPORT int cuStreamSynchronize(void* stream) {
  std::lock_guard<std::mutex> guard(lock);
  if (!own(stream)) {
    return kInvalidHandle;
  }
  finish(currentDevice);
  return sticky;
}
EXPORT int cuEventCreate(Event** event, unsigned) {
  *event = new Event();
  return currentDevice < 0 ? kInvalidContext : 0;
}
EXPORT int cuEventRecord(Event* event, void* stream) {
  std::lock_guard<std::mutex> guard(lock);
  if (!own(stream)) {
    return kInvalidHandle;
  }
  *event = {currentDevice, streams[currentDevice].put};
  return sticky;
}
EXPORT int cuEventSynchronize(Event* event) {
  std::lock_guard<std::mutex> guard(lock);
  finish(event->device, event->after);
  return sticky;
}
EXPORT int cuEventDestroy_v2(Event* event) {
  delete event;
  return 0;
}
EXPORT int cuMemGetInfo_v2(size_t* free, size_t* all) {
  if (currentDevice < 0) {
    return kInvalidContext;
  }
  *free = total > inUse ? total - inUse : 0;
  *all = total;
  return 0;
}
EXPORT int cuMemAlloc_v2(char** address, size_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  if (currentDevice < 0) {
    return kInvalidContext;
  }
  if (bytes == 0) {
    return kInvalidValue;
  }
  if (inUse + bytes > total) {
    return kOutOfMemory;
  }
  char* whole = (char*)std::aligned_alloc(256, (256 + bytes + kGuard + 255) / 256 * 256);
  std::memset(whole, kGuardByte, 256);
  // Numbers that are read before they are written are NaN.
  std::memset(whole + 256, 0xFF, bytes);
  std::memset(whole + 256 + bytes, kGuardByte, kGuard);
  *address = whole + 256;
  allocations[*address] = {bytes, currentDevice};
  inUse += bytes;
  return 0;
}
EXPORT int cuMemFree_v2(char* address) {
  std::lock_guard<std::mutex> guard(lock);
  auto found = allocations.find(address);
  if (found == allocations.end()) {
    return kInvalidValue;
  }
  finish(found->second.device);
  checkGuards();
  inUse -= found->second.bytes;
  allocations.erase(found);
  std::free(address - 256);
  return 0;
}
EXPORT int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  *pointer = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return 0;
}
EXPORT int cuMemFreeHost(void* pointer) {
  std::lock_guard<std::mutex> guard(lock);
  finishAll();
  std::free(pointer);
  return 0;
}
static int copy(
    void* to, const void* from, size_t bytes, void* stream, std::vector<const void*> onDevice) {
  std::lock_guard<std::mutex> guard(lock);
  if (sticky != 0) {
    return sticky;
  }
  if (!own(stream)) {
    return kInvalidHandle;
  }
  for (const void* address : onDevice) {
    if (!inside(address, bytes)) {
      return sticky = kIllegalAddress;
    }
  }
  put([=] { std::memmove(to, from, bytes); });
  return 0;
}
EXPORT int cuMemcpyHtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  return copy(to, from, bytes, stream, {to});
}
EXPORT int cuMemcpyDtoHAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  return copy(to, from, bytes, stream, {from});
}
EXPORT int cuMemcpyDtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  return copy(to, from, bytes, stream, {to, from});
}
EXPORT int cuMemsetD32Async(void* to, unsigned value, size_t count, void* stream) {
  std::lock_guard<std::mutex> guard(lock);
  if (!own(stream)) {
    return kInvalidHandle;
  }
  if (!inside(to, 4 * count)) {
    return sticky = kIllegalAddress;
  }
  put([=] {
    for (size_t i = 0; i < count; i++) {
      ((unsigned*)to)[i] = value;
    }
  });
  return 0;
}
EXPORT int cuModuleLoadData(void** module, const void* image) {
  const char* text = (const char*)image;
  *module = (void*)0x53;
  if (failModule != 0 && text[0] == '/') {
    return failModule; // PTX begins with a comment
  }
  loadedImage = std::string(text, strnlen(text, 40));
  const std::string binary = "stand-in for a binary of sm_";
  if (loadedImage.compare(0, binary.size(), binary) == 0) {
    // For another architecture: CUDA_ERROR_NO_BINARY_FOR_GPU.
    return loadedImage == binary + std::to_string(capabilityMajor) + "0" ? 0 : 209;
  }
  return std::strstr(text, ".version 7.0") != nullptr && std::strstr(text, "resid_add") != nullptr
      ? 0
      : 218;
}
EXPORT int cuModuleUnload(void*) { return 0; }
EXPORT int cuModuleGetFunction(void** function, void*, const char* name) {
  for (const Entry& entry : kKernels) {
    if (std::strcmp(entry.name, name) == 0) {
      *function = (void*)&entry;
      return 0;
    }
  }
  return kNotFound;
}
// A launch that waits in a stream.
struct Launch {
  const Entry* kernel;
  unsigned gx, gy, threads, sharedBytes;
  std::vector<uint64_t> values;

  void run() {
    std::vector<void*> addresses;
    for (uint64_t& value : values) {
      addresses.push_back(&value);
    }
    std::vector<unsigned char> dynamic(sharedBytes + kGuard);
    emulatedDynamic = dynamic.data();
    emulatedBlockSize = {threads, 1, 1};
    emulatedGridSize = {gx, gy, 1};
    ::threads = (int)threads;
    ::kernel = kernel->run;
    kernelArguments = addresses.data();
    uint64_t blocks = (uint64_t)gx * gy;
    for (uint64_t i = 0; i < blocks; i++) {
      uint64_t block = order == 0 ? i : blocks - 1 - i;
      emulatedBlock = {(unsigned)(block % gx), (unsigned)(block / gx), 0};
      std::fill(dynamic.begin(), dynamic.end(), 0xFF);
      runBlock();
    }
    for (size_t i = 0; i < kGuard; i++) {
      if (dynamic[sharedBytes + i] != 0xFF) {
        std::fprintf(stderr, "emulated GPU: a kernel wrote beyond its shared memory\n");
        std::abort();
      }
    }
  }
};

EXPORT int cuLaunchKernel(
    void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
    unsigned sharedBytes, void* stream, void** arguments, void**) {
  std::lock_guard<std::mutex> guard(lock);
  if (sticky != 0) {
    return sticky;
  }
  if (!own(stream)) {
    return kInvalidHandle;
  }
  long own = launchesOf[currentDevice]++;
  if (launches++ == failLaunchAt && failingDevice < 0) {
    return sticky = failWith;
  }
  if (failingDevice == currentDevice && own == failLaunchAt) {
    return failWith; // the other GPUs go on
  }
  const Entry* entry = (const Entry*)function;
  entry->check(arguments);
  if (gx == 0 || gy == 0 || gz != 1 || gx > 0x7fffffffu || gy > 65535 || bx == 0
      || bx > kMostThreads || by != 1 || bz != 1 || sharedBytes > 48 * 1024) {
    return kInvalidValue;
  }
  auto launch = std::make_shared<Launch>(Launch{entry, gx, gy, bx, sharedBytes, {}});
  for (int i = 0; i < entry->count; i++) {
    uint64_t value;
    std::memcpy(&value, arguments[i], 8);
    launch->values.push_back(value);
    // What a later launch does not write whole is nothing sensible.
    std::memset(arguments[i], 0xAB, 8);
  }
  put([launch] { launch->run(); });
  return 0;
}
