// Structured tasks: tokens and frames with lengths, ESMM, an auxiliary task, several inputs,
// several targets.
#include <torch/nn/modules/linear.h>
#include <mtl/mtl.hpp>

#include <cmath>
#include <cstdio>

using mtl::Tensor;

/// A head that answers for each token: [N, L, features] to [N, C, L].
struct TokenHeadImpl : torch::nn::Module {
  TokenHeadImpl(int64_t inputs, int64_t classes)
      : line(register_module("line", torch::nn::Linear(inputs, classes))) {}
  Tensor forward(const Tensor& tokens) { return line(tokens).transpose(1, 2); }
  torch::nn::Linear line;
};
TORCH_MODULE(TokenHead);

void tokens() {
  const Tensor tags = torch::randint(3, {4, 6}, torch::kLong);
  const Tensor lengths = torch::tensor({6, 2, 4, 5});
  const Tensor filled = mtl::with_lengths(tags, lengths);  // -100 behind the end

  const mtl::Task task{.name = "aspects",
                       .head = TokenHead(8, 3),
                       .loss = mtl::CrossEntropy{},
                       .metrics = {mtl::SpanF1{.tags = {"O", "B-aspect", "I-aspect"}}}};
  const Tensor prediction = task.head.forward(torch::randn({4, 6, 8}));
  mtl::Batch batch;
  batch.targets.insert("aspects", filled);
  std::printf("aspects: loss %.3f, F1 %.3f\n",
              mtl::loss_of(task, prediction, batch).value.item<double>(),
              mtl::metrics_of(task, prediction, filled)[0]);
}

void texts() {
  mtl::TaskRegistry tasks{{.name = "mood",  // once a text
                           .head = mtl::nn::SummaryHead({.input_size = 32, .output_size = 2}),
                           .loss = mtl::CrossEntropy{}},
                          {.name = "tags",  // at each token
                           .head = mtl::nn::StepHead({.input_size = 32, .output_size = 3}),
                           .loss = mtl::CrossEntropy{}}};
  mtl::HardSharing model(mtl::nn::AttentionEncoder({.vocabulary = 1000, .width = 32}), tasks,
                         "words");

  const Tensor words = torch::randint(1, 1000, {4, 6}, torch::kLong);
  words.slice(1, 4).slice(0, 1).zero_();  // filling: all but the first have 4 words
  const auto predictions = model->forward({{"words", words}});
  std::printf("%lld moods, %lld tags a text\n", static_cast<long long>(predictions["mood"].size(0)),
              static_cast<long long>(predictions["tags"].size(2)));
}

void transcripts() {
  const mtl::Task words{
      .name = "words",
      .head = mtl::nn::StepHead({.input_size = 16, .output_size = 27, .steps_first = true}),
      .loss = mtl::Ctc{},
      .metrics = {mtl::CharacterErrorRate{}, mtl::WordErrorRate{.space = 1}}};
  mtl::nn::AttentionEncoder encoder({.input_size = 20, .width = 16});
  mtl::SequenceEnds model(mtl::HardSharing(encoder, {words}, "frames"),
                          {{.task = "words", .lengths = "frames_length"}});

  // Two recordings of 30 and 18 frames, with what was said.
  const mtl::PadToLongest collate{.ragged = {"frames", "words"}, .fill = std::nan("")};
  const mtl::Batch batch =
      collate({{{{"frames", torch::randn({30, 20})}}, {{"words", torch::tensor({3, 2, 5})}}},
               {{{"frames", torch::randn({18, 20})}}, {{"words", torch::tensor({7})}}}});
  const auto predictions = model->forward(batch.inputs);
  std::printf("words: loss %.3f\n",
              mtl::loss_of(words, predictions["words"], batch).value.item<double>());
}

void esmm() {
  mtl::TaskRegistry tasks{{.name = "click",
                           .head = mtl::nn::LinearHead(8, 1),
                           .loss = mtl::BinaryCrossEntropy{},
                           .metrics = {mtl::GroupedAuc{.group = "user"}}},
                          {.name = "buy_after_click",  // judged where there was a click
                           .head = mtl::nn::LinearHead(8, 1),
                           .loss = mtl::NoLoss{},
                           .metrics = {mtl::RocAuc{}}}};
  mtl::HardSharing towers(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  mtl::DerivedTasks model(towers, {{.task = {.name = "buy", .loss = mtl::BinaryCrossEntropy{}},
                                    .from = {"click", "buy_after_click"},
                                    .prediction = mtl::JointLogit{}}});

  const Tensor x = torch::randn({200, 5});
  const Tensor click = torch::rand({200}).lt(0.4).to(torch::kFloat);
  const Tensor buy = click * torch::rand({200}).lt(0.5);
  mtl::TensorDataset impressions({{"x", x}},
                                 {{"click", click},
                                  {"buy_after_click", buy.masked_fill(click.eq(0), std::nan(""))},
                                  {"buy", buy},
                                  {"user", torch::arange(200) % 10}});
  torch::optim::Adam adam(model->parameters(), 1e-3);
  mtl::Sum combiner;
  mtl::BatchLoader train(impressions, {.batch_size = 50}), valid(impressions, {.batch_size = 50});
  const auto run = mtl::Trainer(model, adam, combiner, {.epochs = 2}).fit(train, valid);
  std::printf("AUC of a purchase after a click: %.3f\n",
              run.best().valid("buy_after_click", "roc_auc"));
}

void several_inputs_and_targets() {
  const mtl::nn::LinearHead position(8, 2);  // one head, two targets
  mtl::TaskRegistry tasks{
      {.name = "place", .head = position, .loss = mtl::MeanSquaredError{}},
      {.name = "place_by_hand", .head = position, .loss = mtl::Huber{}, .auxiliary = true},
      {.name = "kind", .head = mtl::nn::LinearHead(8, 3), .loss = mtl::CrossEntropy{}}};
  mtl::HardSharing behind(mtl::nn::MlpEncoder({.input_size = 4 + 2, .hidden_sizes = {8}}), tasks);
  mtl::JoinedInputs model({{"signal", mtl::nn::MlpEncoder({.input_size = 16, .hidden_sizes = {4}})},
                           {"table", torch::nn::Identity()}},
                          behind);
  const auto predictions =
      model->forward({{"signal", torch::randn({3, 16})}, {"table", torch::randn({3, 2})}});
  std::printf("%zu predictions\n", static_cast<size_t>(predictions.size()));
}

void targets_side_by_side() {
  const Tensor x = torch::randn({60, 4}), temperature = x.select(1, 0), wind = x.select(1, 1);
  const Tensor rain = x.select(1, 2).gt(0).to(torch::kFloat), sky = x.select(1, 3).gt(0);
  const mtl::Task climate{.name = "climate",
                          .head = mtl::nn::LinearHead(8, 2),
                          .loss = mtl::Huber{},
                          .metrics = {mtl::Mae{}}};
  mtl::TensorDataset data({{"x", x}}, {{"climate", mtl::joined_target({temperature, wind})},
                                       {"temperature", temperature},
                                       {"rain", rain},
                                       {"sky", sky.to(torch::kLong)}});

  mtl::HardSharing behind(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {8}}),
                          {{.name = "weather",  // only answers; those who read it are judged
                            .head = mtl::nn::LinearHead(8, 4),
                            .loss = mtl::NoLoss{}},
                           climate});
  mtl::DerivedTasks model(
      behind,
      mtl::outputs_of("weather",
                      {{.task = {.name = "temperature", .loss = mtl::Huber{}}},
                       {.task = {.name = "rain", .loss = mtl::BinaryCrossEntropy{}}},
                       {.task = {.name = "sky", .loss = mtl::CrossEntropy{}}, .outputs = 2}}));
  torch::optim::Adam adam(model->parameters(), 1e-3);
  mtl::BatchLoader train(data, {.batch_size = 20}), valid(data, {.batch_size = 20});
  const auto run = mtl::Trainer(model, adam, mtl::Sum(), {.epochs = 2}).fit(train, valid);
  std::printf("loss of rain: %.3f\n", run.best().valid("rain", "loss"));
}

void several_targets_in_one_loss() {
  const Tensor corner = torch::rand({4, 2, 2}), boxes = torch::cat({corner, corner + 0.3}, 2);
  const Tensor kinds = torch::randint(3, {4, 2}, torch::kLong);
  // Boxes and kinds side by side, [N, K, 5], as MeanAveragePrecision takes them.
  const Tensor objects = torch::cat({boxes, kinds.unsqueeze(2).to(torch::kFloat)}, 2);
  const auto place_and_kind = [](const Tensor& y, const Tensor& t) {
    const auto place = mtl::BoxLoss{}(y.slice(2, 0, 4), t.slice(2, 0, 4));
    const Tensor of_kind = t.select(2, 4).nan_to_num(mtl::missing_class).to(torch::kLong);
    const auto kind = mtl::CrossEntropy{}(y.slice(2, 4).transpose(1, 2), of_kind);
    return mtl::SampleLosses{place.values + kind.values, place.weights};
  };
  const mtl::Task task{
      .name = "objects", .loss = place_and_kind, .metrics = {mtl::MeanAveragePrecision{}}};

  const Tensor prediction = torch::cat({boxes, torch::one_hot(kinds, 3).to(torch::kFloat)}, 2);
  mtl::Batch batch;
  batch.targets.insert("objects", objects);
  std::printf("objects: loss %.3f, mAP %.3f\n",
              mtl::loss_of(task, prediction, batch).value.item<double>(),
              mtl::metrics_of(task, prediction, objects)[0]);
}

int main() {
  torch::manual_seed(0);
  tokens();
  texts();
  transcripts();
  esmm();
  several_inputs_and_targets();
  targets_side_by_side();
  several_targets_in_one_loss();
  return 0;
}
