#pragma once

#include <stdexcept>
#include <string>

#include "mtl/core/formatted.hpp"

namespace mtl {

/// The one exception of the library. Its text says where (task, file, row or shape), what was
/// found, what was expected and what to do. Values are numbers, texts, characters and truth values:
///
///     throw Error("task \"{}\": class {}, but its head has {} outputs", name, found, outputs);
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(text) {}

  template <class... Values>
  requires(sizeof...(Values) > 0) explicit Error(FormatText<sizeof...(Values)> text,
                                                 const Values&... values)
      : std::runtime_error(formatted(text, values...)) {}
};

}  // namespace mtl
