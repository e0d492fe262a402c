#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "way_checks.hpp"

// Every way of sharing, small.

struct Way {
  std::string name;
  std::function<std::shared_ptr<mtl::Model>(mtl::TaskRegistry)> make;
};

inline std::vector<mtl::Encoder> two_experts() {
  return mtl::several(2, [] { return tanh_layer(2, 4); });
}

inline std::vector<mtl::Stages> three_columns() {
  return mtl::several(3, [] { return mtl::Stages{tanh_layer(2, 4), tanh_layer(4, 4)}; });
}

inline mtl::ProgressiveLayeredExtraction::Level experts_for_three(int64_t in) {
  const auto one = [in] { return mtl::several(1, [in] { return tanh_layer(in, 4); }); };
  return {.by_task = mtl::several(3, one), .shared = one(), .gate_input_size = in};
}

/// Of three tasks called a, b and c.
inline std::vector<Way> all_ways() {
  using namespace mtl;
  const auto mask = [] { return tanh_layer(4, 4); };
  return {
      {"hard", [](TaskRegistry t) { return HardSharing(tanh_layer(2, 4), t).ptr(); }},
      {"branched",
       [](TaskRegistry t) {
         return Branched(tanh_layer(2, 4),
                         {{tanh_layer(4, 4), {"a", "c"}}, {tanh_layer(4, 4), {"b"}}}, t)
             .ptr();
       }},
      {"soft",
       [](TaskRegistry t) {
         return SoftSharing(several(3, [] { return tanh_layer(2, 4); }), t).ptr();
       }},
      {"cross-stitch", [](TaskRegistry t) { return CrossStitch(three_columns(), t).ptr(); }},
      {"sluice", [](TaskRegistry t) { return Sluice(three_columns(), t).ptr(); }},
      {"MMoE",
       [](TaskRegistry t) {
         return MixtureOfExperts(two_experts(), t, {.gate_input_size = 2}).ptr();
       }},
      {"CGC",
       [](TaskRegistry t) {
         return ProgressiveLayeredExtraction({experts_for_three(2)}, t).ptr();
       }},
      {"PLE",
       [](TaskRegistry t) {
         return ProgressiveLayeredExtraction({experts_for_three(2), experts_for_three(4)}, t).ptr();
       }},
      {"DSelect-k", [](TaskRegistry t) { return DSelectK(two_experts(), t).ptr(); }},
      {"MTAN",
       [mask](TaskRegistry t) {
         return MultiTaskAttention({{.first = tanh_layer(2, 4),
                                     .second = tanh_layer(4, 4),
                                     .masks = several(3, mask)}},
                                   t)
             .ptr();
       }},
      {"LTB", [](TaskRegistry t) { return LearnedBranching({two_experts()}, t).ptr(); }},
      {"FiLM",
       [](TaskRegistry t) {
         return Film({{tanh_layer(2, 4), 4}, {tanh_layer(4, 4), 4}}, t).ptr();
       }},
      {"FiLM at the end",
       [](TaskRegistry t) {
         return Film({{tanh_layer(2, 4)}, {tanh_layer(4, 4), 4}}, t).ptr();
       }},
      {"adapters",
       [](TaskRegistry t) {
         return TaskAdapters({{tanh_layer(2, 4), 4}, {tanh_layer(4, 4)}}, t).ptr();
       }},
      {"derived",
       [](TaskRegistry t) {
         return DerivedTasks(
                    HardSharing(tanh_layer(2, 4), {t[0], t[1]}),
                    {{.task = {.name = t[2].name, .loss = t[2].loss},
                      .from = {t[0].name, t[1].name},
                      .prediction = [](const NamedTensors& p) { return p["a"] * p["b"].tanh(); }}})
             .ptr();
       }},
      {"low rank",
       [](TaskRegistry t) { return LowRankUpdates({{torch::nn::Linear(2, 4)}}, t).ptr(); }},
  };
}
