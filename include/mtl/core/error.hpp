#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace mtl {

/// The one exception of the library. Its text says where (task, file, row or shape), what was
/// found, what was expected and what to do.
///
///     throw Error("task \"{}\": class {}, but its head has {} outputs", name, found, outputs);
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(text) {}

  template <class First, class... Rest>
  explicit Error(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest)
      : std::runtime_error(formatted(text_of(format), fmt::make_format_args(first, rest...))) {}

 private:
  template <class Format>
  static fmt::string_view text_of(const Format& format) {
    if constexpr (requires { format.get(); })
      return format.get();  // since fmt 10
    else
      return format;
  }
  // Compiled once: the formatting itself is a heavy header.
  static std::string formatted(fmt::string_view format, fmt::format_args arguments);
};

}  // namespace mtl
