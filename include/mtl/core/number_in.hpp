#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace mtl {

/// The whole of `text` as a number, in whatever locale. None: it holds something else, too (blanks,
/// a plus sign), or the number does not fit into its type.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace mtl
