// Takes the place of the allocator's functions in the whole process: a program's own symbols come
// before those of its libraries, so that calls from inside libc and libstdc++ are seen as well.
#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "no_heap/ledger.hpp"

namespace ledger = nen::test::ledger;
using ledger::call;
using std::size_t;

extern "C" {

// glibc's own, which does the work.
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* __libc_realloc(void* old, size_t size) noexcept;
void* __libc_memalign(size_t alignment, size_t size) noexcept;
void __libc_free(void* bytes) noexcept;

void* malloc(size_t size) noexcept {
  ledger::count(call::malloc_);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
  ledger::count(call::calloc_);
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) noexcept {
  ledger::count(call::realloc_);
  return __libc_realloc(old, size);
}
void free(void* bytes) noexcept {
  ledger::count(bytes == nullptr ? call::free_nothing : call::free_);
  __libc_free(bytes);
}
void* memalign(size_t alignment, size_t size) noexcept {
  ledger::count(call::aligned_alloc_);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** to, size_t alignment, size_t size) noexcept {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const bytes = memalign(alignment, size);
  if (bytes == nullptr) return ENOMEM;
  *to = bytes;
  return 0;
}
void* valloc(size_t size) noexcept {
  return memalign(static_cast<size_t>(::sysconf(_SC_PAGESIZE)), size);
}
void* pvalloc(size_t size) noexcept {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return memalign(page, (size + page - 1) / page * page);
}

}  // extern "C"

// The other forms of new and delete (for arrays, without exceptions) call these, as the standard
// has it ([new.delete]).
void* operator new(size_t size) {
  ledger::count(call::operator_new);
  if (void* const bytes = __libc_malloc(size == 0 ? 1 : size)) return bytes;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t alignment) {
  ledger::count(call::operator_new);
  if (void* const bytes = __libc_memalign(static_cast<size_t>(alignment), size)) return bytes;
  throw std::bad_alloc();
}
void operator delete(void* bytes) noexcept {
  ledger::count(call::operator_delete);
  __libc_free(bytes);
}
void operator delete(void* bytes, size_t) noexcept { operator delete(bytes); }
void operator delete(void* bytes, std::align_val_t) noexcept { operator delete(bytes); }
void operator delete(void* bytes, size_t, std::align_val_t) noexcept { operator delete(bytes); }

namespace {

/// The function of this name in the next library.
template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
const auto allocate = real<void*(size_t)>("__cxa_allocate_exception");
const auto release = real<void(void*)>("__cxa_free_exception");

}  // namespace

// `throw` gets its exception's memory from malloc: it is whoever throws who asks for it.
namespace __cxxabiv1 {
extern "C" {

void* __cxa_allocate_exception(size_t size) noexcept {
  const ledger::throwing mine;
  return allocate(size);
}
void __cxa_free_exception(void* exception) noexcept {
  const ledger::throwing mine;
  release(exception);
}

}  // extern "C"
}  // namespace __cxxabiv1
