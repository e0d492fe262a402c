#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace mtl {

/// A text with one `{}`, or `{:...}` as fmt has it, for each of `values` values; more or fewer of
/// them do not compile.
template <size_t values>
class FormatText {
 public:
  consteval FormatText(const char* text) : text_(text) {
    size_t places = 0;
    for (const char* c = text; *c != '\0'; ++c) {
      if (*c != '{' && *c != '}') continue;
      if (c[1] == *c) {
        ++c;  // "{{" and "}}" are braces
        continue;
      }
      if (*c == '}') throw "a brace that closes nothing";
      while (*c != '\0' && *c != '}') ++c;
      if (*c == '\0') throw "a brace that is not closed";
      ++places;
    }
    if (places != values) throw "one {} for each value";
  }
  std::string_view get() const { return text_; }

 private:
  const char* text_;
};

/// A number, a text, a character or a truth value: of one type whatever it is, so that no file that
/// formats one needs fmt's headers.
class FormatValue {
 public:
  FormatValue(int value) : value_(static_cast<long long>(value)) {}
  FormatValue(long value) : value_(static_cast<long long>(value)) {}
  FormatValue(long long value) : value_(value) {}
  FormatValue(unsigned value) : value_(static_cast<unsigned long long>(value)) {}
  FormatValue(unsigned long value) : value_(static_cast<unsigned long long>(value)) {}
  FormatValue(unsigned long long value) : value_(value) {}
  FormatValue(float value) : value_(value) {}
  FormatValue(double value) : value_(value) {}
  FormatValue(bool value) : value_(value) {}
  FormatValue(char value) : value_(value) {}
  FormatValue(const char* value) : value_(std::string_view(value)) {}
  FormatValue(std::string_view value) : value_(value) {}
  FormatValue(const std::string& value) : value_(std::string_view(value)) {}

 private:
  friend std::string format_values(std::string_view, std::initializer_list<FormatValue>);
  std::variant<long long, unsigned long long, float, double, bool, char, std::string_view> value_;
};

std::string format_values(std::string_view text, std::initializer_list<FormatValue> values);

/// The text with its values, as fmt::format gives it:
///
///     formatted("no better for {} epochs", epochs)
template <class... Values>
requires(sizeof...(Values) > 0) std::string
    formatted(FormatText<sizeof...(Values)> text, const Values&... values) {
  return format_values(text.get(), {FormatValue(values)...});
}

}  // namespace mtl
