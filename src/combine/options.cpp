#include "mtl/combine/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "mtl/core/error.hpp"
#include "mtl/core/number_in.hpp"

namespace mtl {
namespace {

std::vector<std::string> split_text(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? "none" : text;
}

/// "step_size|step" -> both names; the second may be empty.
std::pair<std::string, std::string> both_names(std::string_view name) {
  const size_t bar = std::min(name.find('|'), name.size());
  return {std::string(name.substr(0, bar)),
          std::string(name.substr(std::min(bar + 1, name.size())))};
}

bool allows(const Range& range, double value) {
  return std::isfinite(value) && (range.with_least ? value >= range.least : value > range.least) &&
         (range.with_most ? value <= range.most : value < range.most);
}

class OptionCheck : public OptionVisitor {
 public:
  explicit OptionCheck(std::string_view method) : method_(method) {}

  void number(std::string_view name, double& value, const Range& range) override {
    if (!allows(range, value)) refuse(name, fmt::format("{}", value), range.text);
  }
  void count(std::string_view name, int64_t& value, int64_t least) override {
    if (value < least) refuse(name, fmt::format("{}", value), fmt::format("{} or more", least));
  }
  void seed(std::string_view, uint64_t&) override {}
  void numbers(std::string_view name, std::vector<double>& values, const Range& range,
               std::string_view) override {
    for (const double value : values)
      if (!allows(range, value))
        refuse(name, fmt::format("a list with {}", value), fmt::format("{} each", range.text));
  }
  void word(std::string_view, std::string&) override {}
  void choose(std::string_view name, size_t& chosen,
              const std::vector<std::string_view>& words) override {
    if (chosen == words.size())
      refuse(name, "none of its values",
             "one of: " + joined(std::vector<std::string>(words.begin(), words.end())));
  }

 private:
  [[noreturn]] void refuse(std::string_view name, std::string_view found,
                           std::string_view expected) const {
    throw Error("combiner \"{}\": option {} is {}, expected {}", method_, both_names(name).first,
                found, expected);
  }

  std::string_view method_;
};

class OptionReader : public OptionVisitor {
 public:
  OptionReader(std::string_view method, std::string_view text) : method_(method) {
    for (const std::string& entry : split_text(text, ',')) {
      const size_t equals = entry.find('=');
      if (equals == std::string::npos || equals == 0)
        throw Error("combiner \"{}\": \"{}\" is not an option, expected name=value", method_,
                    entry);
      if (!given_.emplace(entry.substr(0, equals), entry.substr(equals + 1)).second)
        throw Error("combiner \"{}\": option {} is given twice", method_, entry.substr(0, equals));
    }
  }

  void number(std::string_view name, double& value, const Range&) override {
    if (const auto given = take(name)) value = parsed(name, *given);
  }
  void count(std::string_view name, int64_t& value, int64_t) override {
    if (const auto given = take(name)) value = whole<int64_t>(name, *given);
  }
  void seed(std::string_view name, uint64_t& value) override {
    if (const auto given = take(name)) value = whole<uint64_t>(name, *given);
  }
  void numbers(std::string_view name, std::vector<double>& values, const Range&,
               std::string_view) override {
    const auto given = take(name);
    if (!given) return;
    values.clear();
    for (const std::string& part : split_text(*given, '/')) values.push_back(parsed(name, part));
    if (values.empty()) refuse(name, *given, "numbers as in 1/0.5");
  }
  void word(std::string_view name, std::string& value) override {
    if (const auto given = take(name)) value = *given;
  }
  void choose(std::string_view name, size_t& chosen,
              const std::vector<std::string_view>& words) override {
    const auto given = take(name);
    if (!given) return;
    const auto found = std::find(words.begin(), words.end(), *given);
    if (found == words.end())
      refuse(name, *given,
             "one of: " + joined(std::vector<std::string>(words.begin(), words.end())));
    chosen = static_cast<size_t>(found - words.begin());
  }

  /// Error: what is left was not one of the method's options.
  void finish() const {
    if (given_.empty()) return;
    throw Error("combiner \"{}\" has no option \"{}\"; it has: {}", method_, given_.begin()->first,
                joined(known_));
  }

 private:
  std::optional<std::string> take(std::string_view name) {
    const auto [first, second] = both_names(name);
    known_.push_back(first);
    auto entry = given_.find(first);
    if (const auto other = given_.find(second); other != given_.end()) {
      if (entry != given_.end())
        throw Error("combiner \"{}\": {} and {} are one option, and both are given", method_, first,
                    second);
      entry = other;
    }
    if (entry == given_.end()) return {};
    std::string text = std::move(entry->second);
    given_.erase(entry);
    return text;
  }

  double parsed(std::string_view name, const std::string& text) const {
    const auto value = number_in<double>(text);
    if (!value || !std::isfinite(*value)) refuse(name, text, "a number");
    return *value;
  }

  template <class Integer>
  Integer whole(std::string_view name, const std::string& text) const {
    const auto value = number_in<Integer>(text);
    if (!value || *value > static_cast<Integer>(std::numeric_limits<int64_t>::max()) ||
        *value < Integer(0))
      refuse(name, text, "a whole number from 0");
    return *value;
  }

  [[noreturn]] void refuse(std::string_view name, std::string_view found,
                           std::string_view expected) const {
    throw Error("combiner \"{}\": option {} is \"{}\", expected {}", method_,
                both_names(name).first, found, expected);
  }

  std::string_view method_;
  std::map<std::string, std::string> given_;
  std::vector<std::string> known_;
};

class OptionLister : public OptionVisitor {
 public:
  std::vector<OptionDescription> options;

  void number(std::string_view name, double& value, const Range&) override {
    add(name, fmt::format("{}", value));
  }
  void count(std::string_view name, int64_t& value, int64_t) override {
    add(name, fmt::format("{}", value));
  }
  void seed(std::string_view name, uint64_t& value) override {
    add(name, fmt::format("{}", value));
  }
  void numbers(std::string_view name, std::vector<double>&, const Range&,
               std::string_view when_empty) override {
    add(name, std::string(when_empty));
  }
  void word(std::string_view name, std::string& value) override { add(name, value); }
  void choose(std::string_view name, size_t& chosen,
              const std::vector<std::string_view>& words) override {
    add(name, std::string(words[chosen]));
    options.back().choices.assign(words.begin(), words.end());
  }

 private:
  void add(std::string_view name, std::string standard) {
    auto [first, second] = both_names(name);
    options.push_back({std::move(first), std::move(second), std::move(standard), {}});
  }
};

class OptionWriter : public OptionVisitor {
 public:
  std::string text;

  void number(std::string_view name, double& value, const Range&) override {
    add(name, fmt::format("{}", value));
  }
  void count(std::string_view name, int64_t& value, int64_t) override {
    add(name, fmt::format("{}", value));
  }
  void seed(std::string_view name, uint64_t& value) override {
    add(name, fmt::format("{}", value));
  }
  void numbers(std::string_view name, std::vector<double>& values, const Range&,
               std::string_view) override {
    std::string list;
    for (const double value : values) list += fmt::format("{}{}", list.empty() ? "" : "/", value);
    add(name, list);
  }
  void word(std::string_view name, std::string& value) override { add(name, value); }
  void choose(std::string_view name, size_t& chosen,
              const std::vector<std::string_view>& words) override {
    add(name, words[chosen]);
  }

 private:
  void add(std::string_view name, std::string_view value) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", both_names(name).first, value);
  }
};

}  // namespace

void check_options(std::string_view method, const DescribeOptions& describe) {
  OptionCheck check(method);
  describe(check);
}

void read_options(std::string_view method, std::string_view text, const DescribeOptions& describe) {
  OptionReader reader(method, text);
  describe(reader);
  reader.finish();
  check_options(method, describe);
}

std::vector<OptionDescription> list_options(const DescribeOptions& describe) {
  OptionLister lister;
  describe(lister);
  return std::move(lister.options);
}

std::string options_text(const DescribeOptions& describe) {
  OptionWriter writer;
  describe(writer);
  return std::move(writer.text);
}

}  // namespace mtl
