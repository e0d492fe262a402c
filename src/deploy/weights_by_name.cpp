#include "mtl/deploy/weights_by_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>

#include "mtl/core/edit_distance.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/pytorch_file.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

constexpr size_t longest_name = 1000;  // std::regex recurses over what it matches
constexpr size_t most_listed = 10, most_compared = 5000;

std::regex compiled(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& error) {
    throw Error("\"{}\" is no regular expression: {}", pattern, error.what());
  }
}

std::vector<std::regex> compiled(const std::vector<std::string>& patterns) {
  std::vector<std::regex> all;
  for (const std::string& pattern : patterns) all.push_back(compiled(pattern));
  return all;
}

bool any_in(const std::vector<std::regex>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::regex& pattern) { return std::regex_search(name, pattern); });
}

struct Source {
  std::string name;  // as it came
  Tensor value;
};
using Renamed = std::map<std::string, Source>;

Renamed renamed(const NamedTensors& weights, const WeightNames& names) {
  std::vector<std::pair<std::regex, std::string>> rules;
  for (const auto& rule : names.rename)
    rules.emplace_back(compiled(rule.pattern), rule.replacement);
  const auto ignored = compiled(names.ignore);
  Renamed all;
  const auto check_length = [&](const std::string& name) {
    if (name.size() > longest_name)
      throw Error("the name \"{}\" has {} characters, expected at most {}", io::excerpt(name),
                  name.size(), longest_name);
  };
  for (const auto& item : weights) {
    std::string name = item.key();
    check_length(name);
    for (const auto& [pattern, replacement] : rules) {
      name = std::regex_replace(name, pattern, replacement);
      check_length(name);
    }
    if (any_in(ignored, name)) continue;
    const auto [place, is_new] = all.emplace(name, Source{item.key(), item.value()});
    if (!is_new)
      throw Error("\"{}\" and \"{}\" both become \"{}\"", place->second.name, item.key(), name);
  }
  return all;
}

/// The left-over name that looks most like it: of the same shape before others.
void find_nearest(WeightMatch::Missing& missing, const WeightMatch& match) {
  std::pair<bool, size_t> best = {true, std::string::npos};
  for (size_t i = 0; i < std::min(match.left_over.size(), most_compared); ++i) {
    const auto& other = match.left_over[i];
    const std::pair<bool, size_t> now = {other.shape != missing.shape,
                                         edit_distance(missing.name, other.renamed)};
    if (now >= best) continue;
    best = now;
    missing.nearest = other.name;
    missing.nearest_shape = other.shape;
  }
}

template <class Item, class Text>
void append_lines(std::string& text, const std::vector<Item>& items, const Text& line) {
  for (size_t i = 0; i < std::min(items.size(), most_listed); ++i) text += "\n  " + line(items[i]);
  if (items.size() > most_listed)
    text += fmt::format("\n  and {} more of this sort", items.size() - most_listed);
}

WeightMatch match(const NamedTensors& own, const Renamed& source, const WeightNames& names) {
  const auto kept = compiled(names.keep);
  WeightMatch found;
  for (const auto& item : own) {
    const auto there = source.find(item.key());
    if (there == source.end()) {
      if (!item.key().ends_with("num_batches_tracked") && !any_in(kept, item.key()))
        found.missing.push_back({item.key(), shape_text(item.value()), {}, {}});
    } else if (there->second.value.sizes() != item.value().sizes()) {
      found.misfits.push_back(
          {item.key(), shape_text(item.value()), shape_text(there->second.value)});
    } else {
      ++found.fitting;
    }
  }
  for (const auto& [name, from] : source)
    if (own.find(name) == nullptr)
      found.left_over.push_back({from.name, name, shape_text(from.value)});
  for (size_t i = 0; i < std::min(found.missing.size(), most_listed); ++i)
    find_nearest(found.missing[i], found);
  return found;
}

}  // namespace

std::string WeightMatch::text() const {
  std::string text = fmt::format(
      "{} tensors fit, {} are missing, {} have another shape, {} are left "
      "over",
      fitting, missing.size(), misfits.size(), left_over.size());
  append_lines(text, missing, [](const Missing& one) {
    return fmt::format("missing: \"{}\" {}", one.name, one.shape) +
           (one.nearest.empty() ? std::string()
                                : fmt::format("; nearest: \"{}\" {}", io::excerpt(one.nearest, 200),
                                              one.nearest_shape));
  });
  append_lines(text, misfits, [](const Misfit& one) {
    return fmt::format("shape: \"{}\" is {}, found {}", one.name, one.shape, one.found);
  });
  append_lines(text, left_over, [](const LeftOver& one) {
    return fmt::format("left over: \"{}\" {}", io::excerpt(one.name, 200), one.shape) +
           (one.name == one.renamed
                ? std::string()
                : fmt::format(", looked for as \"{}\"", io::excerpt(one.renamed, 200)));
  });
  return text;
}

WeightMatch match_weights(const torch::nn::Module& module, const NamedTensors& weights,
                          const WeightNames& names) {
  return match(nn::weights(module), renamed(weights, names), names);
}

void load_weights_by_name(torch::nn::Module& module, const NamedTensors& weights,
                          const WeightNames& names) {
  NamedTensors own = nn::weights(module);
  const Renamed source = renamed(weights, names);
  if (const WeightMatch found = match(own, source, names); !found.complete())
    throw Error("the weights do not fit the module: {}\nGive rules that rename, ignore or keep",
                found.text());
  nn::copy_weights(own, [&](const std::string& name) {
    const auto there = source.find(name);
    return there == source.end() ? nullptr : &there->second.value;
  });
}

void load_weights_by_name(torch::nn::Module& module, const std::filesystem::path& file,
                          const WeightNames& names) {
  const NamedTensors weights =
      io::is_pytorch_file(file) ? io::read_pytorch(file) : io::read_safetensors(file);
  try {
    load_weights_by_name(module, weights, names);
  } catch (const Error& error) {
    throw Error("weights \"{}\": {}", file.string(), error.what());
  }
}

}  // namespace mtl
