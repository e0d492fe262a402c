#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::nn::MlpEncoder small_mask(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in,
                              .hidden_sizes = {2},
                              .activation = mtl::nn::Activation::tanh,
                              .output_size = out});
}

using AttentionStage = mtl::MultiTaskAttention::Stage;

std::vector<AttentionStage> attention_stages(int64_t tasks) {
  return {{.first = tanh_layer(2, 3),
           .second = tanh_layer(3, 4),
           .masks = mtl::several(tasks, [] { return small_mask(3, 4); }),
           .carry = tanh_layer(4, 5)},
          {.first = tanh_layer(4, 3), .second = tanh_layer(3, 4), .masks = mtl::several(tasks, [] {
                                                                    return small_mask(3 + 5, 4);
                                                                  })}};
}

mtl::MultiTaskAttention attention(const std::vector<std::string>& tasks) {
  return mtl::MultiTaskAttention(attention_stages(static_cast<int64_t>(tasks.size())),
                                 tasks_named(tasks));
}

}  // namespace

TEST_CASE("MultiTaskAttention: predictions and gradients are the formula's, also of one task") {
  check_golden("multi_task_attention", *attention({"a", "b", "c"}));
  check_golden("multi_task_attention", *attention({"a"}));
}

TEST_CASE("MultiTaskAttention: masks are the tasks', stages and carries are shared") {
  auto model = attention({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->shared_parameters()) ==
        (2 * 3 + 3) + (3 * 4 + 4) + (4 * 5 + 5) + (4 * 3 + 3) + (3 * 4 + 4));
  CHECK(element_count(model->task_parameters("b")) ==
        (3 * 2 + 2 + 2 * 4 + 4) + (8 * 2 + 2 + 2 * 4 + 4) + (4 + 1));
  check_copies(model);
}

TEST_CASE("MultiTaskAttention: pictures as in the paper, 1 x 1 masks and a pooled carry") {
  using namespace torch::nn;
  const auto conv = [](int64_t in, int64_t out, int64_t size) {
    return Conv2d(Conv2dOptions(in, out, size).padding(size / 2));
  };
  const auto masks = [&](int64_t in, int64_t out) {
    return mtl::several(2, [&] {
      return Sequential(conv(in, out, 1), BatchNorm2d(out), ReLU(), conv(out, out, 1),
                        BatchNorm2d(out));
    });
  };
  mtl::MultiTaskAttention model(
      {{.first = Sequential(conv(3, 4, 3), ReLU()),
        .second = Sequential(conv(4, 4, 3), ReLU()),
        .masks = masks(4, 4),
        .carry = Sequential(conv(4, 6, 3), BatchNorm2d(6), ReLU(), MaxPool2d(2))},
       {.first = Sequential(MaxPool2d(2), conv(4, 6, 3), ReLU()),
        .second = Sequential(conv(6, 6, 3), ReLU()),
        .masks = masks(6 + 6, 6)}},
      {{.name = "depth", .head = conv(6, 1, 1), .loss = mtl::MeanAbsoluteError{}},
       {.name = "class", .head = conv(6, 5, 1), .loss = mtl::CrossEntropy{}}});
  const auto out = model->forward({{"x", torch::randn({2, 3, 8, 8})}});
  CHECK(out["class"].sizes() == torch::IntArrayRef({2, 5, 4, 4}));
  // A mask: two 1 x 1 convolutions with bias and normalisation.
  CHECK(element_count(model->task_parameters("depth")) ==
        (4 * 4 + 4 + 8) + (4 * 4 + 4 + 8) + (12 * 6 + 6 + 12) + (6 * 6 + 6 + 12) + (6 + 1));
}

TEST_CASE("MultiTaskAttention: stages that do not fit are errors") {
  const auto text = [](std::vector<AttentionStage> stages) {
    return error_text([&] {
      mtl::MultiTaskAttention(std::move(stages), tasks_named({"a", "b"}))
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({}), "no stage"));
  CHECK(contains(text(attention_stages(3)), "found 3 masks in stage 0 for 2 tasks"));
  auto missing = attention_stages(2);
  missing[1].second = mtl::Encoder();
  CHECK(contains(text(missing), "\"stages.1.second\" is missing"));
  auto one = attention_stages(2);
  one[0].masks[1] = one[0].masks[0];
  CHECK(contains(text(one), "are one module"));
  auto narrow = attention_stages(2);
  narrow[0].masks[1] = small_mask(3, 2);
  CHECK(contains(text(narrow),
                 "the mask of task \"b\" of stage 0 gives scores [3, 2], expected [3, 4]"));
  auto wide = attention_stages(2);
  wide[1].masks[0] = small_mask(3, 4);
  CHECK(
      contains(text(wide), "the mask of task \"a\" of stage 1 does not take what it sees, [3, 8]"));
}
