// What all fuzz targets share: choices taken off an input, memory that ends at a page nobody may
// touch, and checks that say what differed.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__)
#define NEN_FUZZ_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NEN_FUZZ_ASAN 1
#endif
#endif
#ifdef NEN_FUZZ_ASAN
#include <sanitizer/asan_interface.h>
#endif

/// What libFuzzer, or replay_main.cpp, calls with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace nen::test::fuzz {

/// A value as a failed check prints it.
template <class T>
std::string shown(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    std::string text = "\"";
    for (const char c : std::string_view(value)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
        text += c;
      } else {
        char escaped[5];
        static_cast<void>(std::snprintf(escaped, sizeof escaped, "\\x%02x", unsigned{byte}));
        text += escaped;
      }
    }
    return text + "\"";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return value ? shown(*value) : "nothing";  // an optional
  }
}

[[noreturn]] inline void fail(const char* where, const std::string& what) {
  static_cast<void>(std::fprintf(stderr, "%s: %s\n", where, what.c_str()));
  std::abort();
}

template <class A, class B>
void check_equal(const A& a, const B& b, const char* where, const char* what) {
  if (a == b) return;
  fail(where, std::string(what) + "\n  left:  " + shown(a) + "\n  right: " + shown(b));
}

#define NEN_FUZZ_TEXT_OF(x) #x
#define NEN_FUZZ_TEXT(x) NEN_FUZZ_TEXT_OF(x)
#define NEN_FUZZ_WHERE __FILE__ ":" NEN_FUZZ_TEXT(__LINE__)

/// A property that has to hold for every input.
#define NEN_PROPERTY(...)         \
  (static_cast<bool>(__VA_ARGS__) \
       ? static_cast<void>(0)     \
       : ::nen::test::fuzz::fail(NEN_FUZZ_WHERE, "property does not hold: " #__VA_ARGS__))

/// Two values that have to be equal for every input; both are printed when they are not.
#define NEN_SAME(a, b) ::nen::test::fuzz::check_equal(a, b, NEN_FUZZ_WHERE, #a " == " #b)

/// Takes choices off an input's end, so that its front stays readable text.
class choices {
 public:
  choices(const std::uint8_t* data, std::size_t size)
      : text_(reinterpret_cast<const char*>(data), size) {}

  /// The next choice; 0 when nothing is left.
  std::uint8_t byte() {
    if (text_.empty()) return 0;
    const auto last = static_cast<std::uint8_t>(text_.back());
    text_.remove_suffix(1);
    return last;
  }
  /// @returns 0 … limit - 1
  std::size_t below(std::size_t limit) { return byte() % limit; }
  bool flag() { return (byte() & 1) != 0; }
  std::uint32_t number() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }

  /// Up to 255 bytes, with their length in front of (that is: behind) them.
  std::string_view text() {
    const std::size_t wanted = byte();
    const std::size_t size = wanted < text_.size() ? wanted : text_.size();
    const std::string_view taken = text_.substr(text_.size() - size);
    text_.remove_suffix(size);
    return taken;
  }

  /// What no choice has taken.
  std::string_view rest() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

/// Small random numbers that follow from one choice.
class dice {
 public:
  explicit dice(std::uint32_t seed) : state_(seed) {}
  /// @returns 0 … limit - 1
  std::size_t below(std::size_t limit) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 16) % limit;
  }

 private:
  std::uint32_t state_;
};

/// Memory between two pages that cannot be touched. What lies at one end of it and is read or
/// written beyond that end stops the program, also in code that no sanitizer has seen.
class guarded_bytes {
 public:
  explicit guarded_bytes(std::size_t capacity) {
    page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = (capacity + page_ - 1) / page_ * page_;
    void* const memory =
        ::mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail(NEN_FUZZ_WHERE, "no memory");
    begin_ = static_cast<char*>(memory) + page_;
    if (::mprotect(begin_, size_, PROT_READ | PROT_WRITE) != 0) fail(NEN_FUZZ_WHERE, "no memory");
  }
  guarded_bytes(const guarded_bytes&) = delete;
  guarded_bytes& operator=(const guarded_bytes&) = delete;
  ~guarded_bytes() {
    show_from(begin_);
    ::munmap(begin_ - page_, size_ + 2 * page_);
  }

  /// Room for `size` bytes in front of the guard page; what was there before is wiped out.
  char* room(std::size_t size) {
    wipe(size);
    return end() - size;
  }
  /// Copies the text in front of the guard page.
  char* place(std::string_view text) { return copy(text, room(text.size())); }
  /// Copies the text behind the other guard page.
  char* place_in_front(std::string_view text) {
    wipe(size_);
    return copy(text, begin_);
  }
  char* end() const { return begin_ + size_; }

  /// With AddressSanitizer: what lies at and behind this byte may not be touched until it is shown.
  void hide_from([[maybe_unused]] char* at) const {
#ifdef NEN_FUZZ_ASAN
    __asan_poison_memory_region(at, static_cast<std::size_t>(end() - at));
#endif
  }
  void show_from([[maybe_unused]] char* at) const {
#ifdef NEN_FUZZ_ASAN
    __asan_unpoison_memory_region(at, static_cast<std::size_t>(end() - at));
#endif
  }

 private:
  void wipe(std::size_t size) {
    if (size > size_) fail(NEN_FUZZ_WHERE, "more than the guarded memory holds");
    show_from(begin_);
    const std::size_t dirty = used_ > size ? used_ : size;
    std::memset(end() - dirty, 0xa5, dirty);
    used_ = size;
  }
  static char* copy(std::string_view text, char* to) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to;
  }

  char* begin_;
  std::size_t size_;
  std::size_t page_;
  std::size_t used_ = 0;  ///< how many of the last bytes may hold something of the last use
};

/// The longest input that a target has to take; libFuzzer is told so too.
inline constexpr std::size_t input_bytes_max = 1024;

}  // namespace nen::test::fuzz
