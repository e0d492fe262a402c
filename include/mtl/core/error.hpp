#pragma once

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace mtl {

/// The text of an Error with one `{}`, or `{:...}` as fmt has it, for each of `values` values; more
/// or fewer of them do not compile.
template <size_t values>
class ErrorText {
 public:
  consteval ErrorText(const char* text) : text_(text) {
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

/// The one exception of the library. Its text says where (task, file, row or shape), what was
/// found, what was expected and what to do. Values are numbers, texts, characters and truth values:
///
///     throw Error("task \"{}\": class {}, but its head has {} outputs", name, found, outputs);
class Error : public std::runtime_error {
 public:
  /// Of one type whatever the value is, and without fmt's headers: every file throws errors.
  class Value {
   public:
    Value(int value) : value_(static_cast<long long>(value)) {}
    Value(long value) : value_(static_cast<long long>(value)) {}
    Value(long long value) : value_(value) {}
    Value(unsigned value) : value_(static_cast<unsigned long long>(value)) {}
    Value(unsigned long value) : value_(static_cast<unsigned long long>(value)) {}
    Value(unsigned long long value) : value_(value) {}
    Value(float value) : value_(value) {}
    Value(double value) : value_(value) {}
    Value(bool value) : value_(value) {}
    Value(char value) : value_(value) {}
    Value(const char* value) : value_(std::string_view(value)) {}
    Value(std::string_view value) : value_(value) {}
    Value(const std::string& value) : value_(std::string_view(value)) {}

   private:
    friend class Error;
    std::variant<long long, unsigned long long, float, double, bool, char, std::string_view> value_;
  };

  explicit Error(const std::string& text) : std::runtime_error(text) {}

  template <class... Values>
  requires(sizeof...(Values) > 0) explicit Error(ErrorText<sizeof...(Values)> text,
                                                 const Values&... values)
      : std::runtime_error(formatted(text.get(), {Value(values)...})) {}

 private:
  static std::string formatted(std::string_view text, std::initializer_list<Value> values);
};

}  // namespace mtl
