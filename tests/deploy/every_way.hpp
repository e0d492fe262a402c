#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/task/tasks.hpp"

// One model of each way of sharing, and of each encoder and head, of tasks "a" and "b", with
// trained-looking weights and running statistics.

struct WayCase {
  std::string name;
  std::function<std::shared_ptr<mtl::Model>()> make;
  std::vector<int64_t> sample;  // shape of one sample of the input
  std::function<mtl::NamedTensors(int64_t samples)> inputs = {};  // where there are others than "x"
};

/// Sequences [N, 6, 3] of 1 to 6 steps, filled up with NaN, and their lengths.
inline mtl::NamedTensors ragged_sequences(int64_t samples) {
  const auto lengths = torch::arange(samples) % 6 + 1;
  const auto behind = torch::arange(6).unsqueeze(0).ge(lengths.unsqueeze(1));
  return {{"x", torch::randn({samples, 6, 3}).masked_fill(behind.unsqueeze(2), NAN)},
          {"x_length", lengths}};
}

inline mtl::TaskRegistry two_tasks(int64_t width) {
  return {{.name = "a", .head = mtl::nn::LinearHead(width, 1), .loss = mtl::MeanSquaredError{}},
          {.name = "b",
           .head = mtl::nn::MlpHead({.input_size = width, .hidden_sizes = {3}, .output_size = 2}),
           .loss = mtl::CrossEntropy{}}};
}

inline mtl::nn::MlpEncoder gelu_layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in,
                              .hidden_sizes = {out},
                              .activation = mtl::nn::Activation::gelu,
                              .dropout = 0.1});
}

inline torch::nn::Sequential small_convolution(int64_t in, int64_t out) {
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)),
                               torch::nn::BatchNorm2d(out), torch::nn::ReLU());
}

/// Attention with both of its heads.
inline std::shared_ptr<mtl::Model> attention_model(const mtl::nn::AttentionEncoder& encoder,
                                                   bool steps_first = false) {
  using namespace mtl;
  return HardSharing(encoder,
                     {{.name = "a",
                       .head = nn::SummaryHead({.input_size = 8, .output_size = 2}),
                       .loss = CrossEntropy{}},
                      {.name = "b",
                       .head = nn::StepHead(
                           {.input_size = 8, .output_size = 4, .steps_first = steps_first}),
                       .loss = MeanSquaredError{}}},
                     "x")
      .ptr();
}
inline mtl::nn::AttentionEncoder attention_of_steps() {
  return mtl::nn::AttentionEncoder({.input_size = 3,
                                    .width = 8,
                                    .heads = 2,
                                    .layers = 2,
                                    .feedforward_size = 12,
                                    .dropout = 0.1});
}

inline std::vector<WayCase> ways_with_encoders() {
  using namespace mtl;
  const auto hard = [](auto encoder, int64_t width) {
    return [encoder, width] { return HardSharing(encoder(), two_tasks(width)).ptr(); };
  };
  return {
      {"mlp", hard([] { return gelu_layer(3, 4); }, 4), {3}},
      {"lstm",
       hard(
           [] {
             return nn::LstmEncoder(
                 {.input_size = 3, .hidden_size = 5, .layers = 2, .dropout = 0.2});
           },
           5),
       {6, 3}},
      {"gru", hard([] { return nn::GruEncoder({.input_size = 3, .hidden_size = 5}); }, 5), {6, 3}},
      {"attention over steps",
       [] { return attention_model(attention_of_steps()); },
       {},
       [](int64_t samples) -> mtl::NamedTensors {
         return {{"x", ragged_sequences(samples)["x"]}};
       }},
      {"attention over tokens",
       [] {
         return attention_model(nn::AttentionEncoder({.vocabulary = 7,
                                                      .width = 8,
                                                      .heads = 4,
                                                      .layers = 1,
                                                      .feedforward_size = 5,
                                                      .activation = nn::Activation::silu}));
       },
       {},
       [](int64_t samples) -> mtl::NamedTensors {
         return {{"x", torch::arange(samples * 5).reshape({samples, 5}) % 7}};
       }},
      {"cnn",
       hard(
           [] {
             return nn::CnnEncoder({.channels = {4, 6}, .blocks = 2, .dropout = 0.1});
           },
           6),
       {3, 9, 8}},
      {"cnn with group norm",
       hard(
           [] {
             return nn::CnnEncoder({.channels = {8},
                                    .norm = nn::ConvolutionNorm::group,
                                    .activation = nn::Activation::silu});
           },
           8),
       {3, 9, 8}},
      {"torch's layers",
       hard(
           [] {
             return torch::nn::Sequential(
                 torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3).padding(1)),
                 torch::nn::BatchNorm2d(4), torch::nn::ReLU(),
                 torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2).stride(2)),
                 torch::nn::AvgPool2d(2), torch::nn::GroupNorm(2, 4), torch::nn::Flatten(),
                 torch::nn::Linear(torch::nn::LinearOptions(16, 6).bias(false)),
                 torch::nn::LayerNorm(torch::nn::LayerNormOptions({6})), torch::nn::LeakyReLU(),
                 torch::nn::BatchNorm1d(6), torch::nn::GELU(), torch::nn::Dropout(0.5),
                 torch::nn::Tanh(), torch::nn::SiLU(), torch::nn::Sigmoid(), torch::nn::ReLU6(),
                 torch::nn::Identity());
           },
           6),
       {3, 8, 8}},
      {"layers by name",
       hard(
           [] {
             return torch::nn::Sequential(torch::OrderedDict<std::string, torch::nn::AnyModule>{
                 {"first", torch::nn::AnyModule(torch::nn::Linear(3, 4))},
                 {"then", torch::nn::AnyModule(torch::nn::ReLU())}});
           },
           4),
       {3}},
  };
}

/// Models around others.
inline std::vector<WayCase> ways_around() {
  using namespace mtl;
  const auto joined = [] {
    return JoinedInputs({{"x", gelu_layer(3, 4)}, {"item", torch::nn::Embedding(5, 2)}},
                        MixtureOfExperts({gelu_layer(6, 4), gelu_layer(6, 4)}, two_tasks(4),
                                         {.gate_input_size = 6}));
  };
  const auto row_and_item = [](int64_t samples) -> NamedTensors {
    return {{"x", torch::randn({samples, 3})}, {"item", torch::arange(samples) % 5}};
  };
  return {
      {"joined inputs", [joined] { return joined().ptr(); }, {}, row_and_item},
      {"derived from three, around joined inputs",
       [joined] {
         const auto of = [](std::string name, std::vector<std::string> from) -> DerivedTask {
           return {{.name = std::move(name), .loss = BinaryCrossEntropy{}}, from, JointLogit{}};
         };
         return DerivedTasks(joined(),
                             {of("c", {"a"}), of("d", {"c", "a"}), of("e", {"d", "a", "c"})})
             .ptr();
       },
       {},
       row_and_item},
      {"an ensemble of several kinds",
       [] {
         const auto tasks = [](int64_t width) {
           TaskRegistry all = two_tasks(width);
           all.add({.name = "c", .head = nn::LinearHead(width, 1), .loss = BinaryCrossEntropy{}});
           all.add({.name = "d", .head = nn::LinearHead(width, 3), .loss = BinaryCrossEntropy{}});
           return all;
         };
         return Ensemble({HardSharing(gelu_layer(3, 4), tasks(4)).ptr(),
                          HardSharing(gelu_layer(3, 5), tasks(5)).ptr(),
                          MixtureOfExperts({gelu_layer(3, 4), gelu_layer(3, 4)}, tasks(4),
                                           {.gate_input_size = 3})
                              .ptr()})
             .ptr();
       },
       {3}},
      {"sequence ends",
       [] {
         return SequenceEnds(
                    attention_model(attention_of_steps(), true),
                    {{.task = "b", .lengths = "x_length", .inputs_per_step = 2, .blank = 3}})
             .ptr();
       },
       {},
       ragged_sequences},
  };
}

inline std::vector<WayCase> ways_of_sharing() {
  using namespace mtl;
  const auto columns = [] {
    return several(2, [] { return Stages{gelu_layer(3, 4), gelu_layer(4, 4)}; });
  };
  const auto experts = [](int64_t count, int64_t in) {
    return several(count, [in] { return gelu_layer(in, 4); });
  };
  const auto level = [experts](int64_t in) {
    return ProgressiveLayeredExtraction::Level{.by_task = {experts(1, in), experts(2, in)},
                                               .shared = experts(1, in),
                                               .gate_input_size = in};
  };
  const auto picture_columns = [] {
    return several(2, [] { return Stages{small_convolution(2, 4), small_convolution(4, 4)}; });
  };
  const auto flat_tasks = [] {
    TaskRegistry tasks;
    for (const char* name : {"a", "b"})
      tasks.add({.name = name,
                 .head = torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(64, 2)),
                 .loss = MeanSquaredError{}});
    return tasks;
  };
  return {
      {"hard, by the input's name",
       [] { return HardSharing(gelu_layer(3, 4), two_tasks(4), "x").ptr(); },
       {3}},
      {"branched",
       [] {
         return Branched(gelu_layer(3, 4),
                         {{gelu_layer(4, 4), {}, {{gelu_layer(4, 4), {"b"}}}},
                          {gelu_layer(4, 4), {"a"}}},
                         two_tasks(4))
             .ptr();
       },
       {3}},
      {"soft",
       [experts] {
         return SoftSharing(experts(2, 3), two_tasks(4),
                            {.penalty = SoftSharing::Penalty::l1, .strength = 0.5})
             .ptr();
       },
       {3}},
      {"cross-stitch",
       [columns] { return CrossStitch(columns(), two_tasks(4), {.own = 0.7}).ptr(); },
       {3}},
      {"cross-stitch by channel",
       [=] {
         return CrossStitch(picture_columns(), flat_tasks(), {.channels = {4, 4}}).ptr();
       },
       {2, 4, 4}},
      {"sluice", [columns] { return Sluice(columns(), two_tasks(4)).ptr(); }, {3}},
      {"sluice on pictures",
       [=] { return Sluice(picture_columns(), flat_tasks()).ptr(); },
       {2, 4, 4}},
      {"MMoE",
       [experts] {
         return MixtureOfExperts(experts(3, 3), two_tasks(4), {.gate_input_size = 3}).ptr();
       },
       {3}},
      {"CGC",
       [level] { return ProgressiveLayeredExtraction({level(3)}, two_tasks(4)).ptr(); },
       {3}},
      {"PLE",
       [level] {
         return ProgressiveLayeredExtraction({level(3), level(4)}, two_tasks(4)).ptr();
       },
       {3}},
      {"DSelect-k", [experts] { return DSelectK(experts(3, 3), two_tasks(4)).ptr(); }, {3}},
      {"DSelect-k by sample",
       [experts] {
         return DSelectK(experts(4, 3), two_tasks(4), {.selected = 3, .gate_input_size = 3}).ptr();
       },
       {3}},
      {"MTAN",
       [] {
         return MultiTaskAttention({{.first = gelu_layer(3, 4),
                                     .second = gelu_layer(4, 5),
                                     .masks = several(2, [] { return gelu_layer(4, 5); }),
                                     .carry = gelu_layer(5, 6)},
                                    {.first = gelu_layer(5, 4),
                                     .second = gelu_layer(4, 4),
                                     .masks = several(2, [] { return gelu_layer(10, 4); })}},
                                   two_tasks(4))
             .ptr();
       },
       {3}},
      {"LTB",
       [experts] {
         return LearnedBranching({experts(2, 3), experts(3, 4), experts(2, 4)}, two_tasks(4)).ptr();
       },
       {3}},
      {"FiLM",
       [] {
         return Film({{gelu_layer(3, 4)}, {gelu_layer(4, 4), 4}, {gelu_layer(4, 4), 4}},
                     two_tasks(4))
             .ptr();
       },
       {3}},
      {"adapters",
       [=] {
         return TaskAdapters({{small_convolution(2, 4), 4}, {small_convolution(4, 4)}},
                             flat_tasks(), {.bottleneck = 3, .activation = nn::Activation::tanh})
             .ptr();
       },
       {2, 4, 4}},
      {"low rank",
       [] {
         return LowRankUpdates({{torch::nn::Linear(3, 5), false},
                                {torch::nn::Linear(5, 4)},
                                {torch::nn::Linear(4, 4), false},
                                {torch::nn::Linear(4, 4)}},
                               two_tasks(4), {.rank = 2, .task_rank = 1, .scale = 0.5})
             .ptr();
       },
       {3}},
      {"low rank, by task only",
       [] { return LowRankUpdates({{torch::nn::Linear(3, 4)}}, two_tasks(4), {.rank = 0}).ptr(); },
       {3}},
  };
}

/// Weights and statistics as training might leave them: nothing stays where it began (adapters at
/// zero, modulations at one), variances above 0.
inline void settle_weights(mtl::Model& model, uint64_t seed) {
  torch::manual_seed(static_cast<int64_t>(seed));
  torch::NoGradGuard no_grad;
  for (auto& item : model.named_parameters())
    item.value().add_(0.3 * torch::randn_like(item.value()));
  for (auto& item : model.named_buffers())
    if (item.value().is_floating_point()) item.value().add_(0.3 * torch::rand_like(item.value()));
  model.eval();
}

/// `samples` samples of the case's inputs.
inline mtl::NamedTensors samples_of(const WayCase& way, int64_t samples) {
  if (way.inputs) return way.inputs(samples);
  std::vector<int64_t> shape = {samples};
  shape.insert(shape.end(), way.sample.begin(), way.sample.end());
  return {{"x", torch::randn(shape)}};
}
