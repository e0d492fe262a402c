#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtl {

/// What a number among the options may be. NaN and infinity never are.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool with_least = true, with_most = true;  ///< whether the ends themselves are allowed
  std::string_view text = "a finite number";
};

inline constexpr Range any_number{};
inline constexpr Range not_negative{.least = 0, .text = "a number that is not negative"};
inline constexpr Range positive{.least = 0, .with_least = false, .text = "a positive number"};
inline constexpr Range zero_to_one{.least = 0, .most = 1, .text = "a number in [0, 1]"};
inline constexpr Range below_one{
    .least = 0, .most = 1, .with_most = false, .text = "a number in [0, 1)"};

/// Meets every option of a method. An Options struct says once which there are, what they are
/// called in text and what they may be:
///
///     struct Options {
///       double c = 0.4;
///       void describe(OptionVisitor& option) { option.number("c", c, not_negative); }
///     };
///
/// make_combiner reads text by it, constructors check by it (`Combiner::checked`), documentation
/// and property tests list it (`combiner_options`). A name may have a second one behind a bar:
/// "step_size|step".
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;

  virtual void number(std::string_view name, double& value, const Range& range) = 0;
  virtual void count(std::string_view name, int64_t& value, int64_t least) = 0;
  virtual void seed(std::string_view name, uint64_t& value) = 0;
  /// A list, separated by slashes in text. `when_empty`: what an empty one stands for.
  virtual void numbers(std::string_view name, std::vector<double>& values, const Range& range,
                       std::string_view when_empty) = 0;
  virtual void word(std::string_view name, std::string& value) = 0;
  /// One of several words.
  template <class Enum>
  void choice(std::string_view name, Enum& value,
              std::initializer_list<std::pair<std::string_view, Enum>> words) {
    std::vector<std::string_view> texts;
    size_t chosen = words.size();
    for (const auto& [text, meaning] : words) {
      if (meaning == value) chosen = texts.size();
      texts.push_back(text);
    }
    choose(name, chosen, texts);
    if (chosen < words.size()) value = (words.begin() + chosen)->second;
  }

 protected:
  /// `chosen` is an index of `words`; their number where the value is none of them.
  virtual void choose(std::string_view name, size_t& chosen,
                      const std::vector<std::string_view>& words) = 0;
};

/// One option of a method as documentation has it.
struct OptionDescription {
  std::string name;                  ///< as make_combiner takes it
  std::string second_name;           ///< or as it takes it, too; may be empty
  std::string standard;              ///< what it is when it is not given
  std::vector<std::string> choices;  ///< the words it may be; empty: not one of several words
};

/// Refers to an Options struct while options are checked, read, listed or written.
class DescribeOptions {
 public:
  template <class Options>
  requires requires(Options& options, OptionVisitor& visitor) { options.describe(visitor); }
  DescribeOptions(Options& options)
      : options_(&options), describe_([](void* of, OptionVisitor& visitor) {
          static_cast<Options*>(of)->describe(visitor);
        }) {}
  void operator()(OptionVisitor& visitor) const { describe_(options_, visitor); }

 private:
  void* options_;
  void (*describe_)(void*, OptionVisitor&);
};

/// Error: a value that is not allowed; the text names method, option, value and what is expected.
void check_options(std::string_view method, const DescribeOptions& describe);

/// Sets what the text "c=0.4,rescale=0" names. Error: an entry without "=", an option that is
/// unknown (the text lists those there are) or given twice, a value that is not allowed.
void read_options(std::string_view method, std::string_view text, const DescribeOptions& describe);

std::vector<OptionDescription> list_options(const DescribeOptions& describe);

/// All options with their values, as make_combiner reads them: "c=0.4,rescale=none".
std::string options_text(const DescribeOptions& describe);

}  // namespace mtl
