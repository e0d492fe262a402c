#include <torch/optim/adam.h>

#include "error_text.hpp"
#include "mtl/combine/losses/mean.hpp"
#include "way_checks.hpp"

namespace {

mtl::HardSharing teacher_of(const std::string& task, int64_t outputs) {
  return mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {8}, .dropout = 0.5}),
      {{.name = task, .head = mtl::nn::LinearHead(8, outputs), .loss = mtl::CrossEntropy{}}});
}

}  // namespace

TEST_CASE("taught: teachers answer in evaluation mode, without a graph, and stay as they are") {
  torch::manual_seed(1);
  auto kind = teacher_of("kind", 3), size = teacher_of("size", 2);
  kind->train();
  size->eval();
  const auto x = torch::randn({6, 2});
  const mtl::Batch batch{{{"x", x}}, {{"kind", torch::zeros({6}, torch::kLong)}}};
  const auto rich =
      mtl::taught(batch, {{kind, "kind", "kind_teacher"}, {size, "size", "size_teacher"}});
  CHECK(rich.targets.keys() == std::vector<std::string>{"kind", "kind_teacher", "size_teacher"});
  CHECK(batch.targets.size() == 1);
  CHECK(kind->is_training());
  CHECK_FALSE(size->is_training());
  CHECK_FALSE(rich.targets["kind_teacher"].requires_grad());
  kind->eval();
  CHECK(rich.targets["kind_teacher"].equal(kind->forward({{"x", x}})["kind"]));
}

TEST_CASE("taught: a task or target that does not fit is refused") {
  auto kind = teacher_of("kind", 3);
  const mtl::Batch batch{{{"x", torch::randn({6, 2})}},
                         {{"kind", torch::zeros({6}, torch::kLong)}}};
  const auto text = [&](const std::vector<mtl::Teacher>& teachers) {
    return error_text([&] { mtl::taught(batch, teachers); });
  };
  CHECK(contains(text({{kind, "size", "t"}}), "no task \"size\""));
  CHECK(contains(text({{kind, "kind", ""}}), "has no target"));
  CHECK(contains(text({{kind, "kind", "kind"}}), "which the batch has"));
  CHECK(contains(text({{kind, "kind", "t"}, {kind, "kind", "t"}}), "two teachers"));
}

TEST_CASE(
    "distillation: one model learns what two single-task models say, in a loop of one's own") {
  torch::manual_seed(2);
  auto kind = teacher_of("kind", 3), size = teacher_of("size", 2);
  const std::vector<mtl::Teacher> teachers = {{kind, "kind", "kind_teacher"},
                                              {size, "size", "size_teacher"}};
  mtl::HardSharing student(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {32}}),
                           {{.name = "kind",
                             .head = mtl::nn::LinearHead(32, 3),
                             .loss = mtl::Distillation{},
                             .target = "kind_teacher"},
                            {.name = "size",
                             .head = mtl::nn::LinearHead(32, 2),
                             .loss = mtl::Distillation{.temperature = 4},
                             .target = "size_teacher"}});
  torch::optim::Adam adam(student->parameters(), 3e-2);
  mtl::Mean combiner;
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    const auto batch = mtl::taught({.inputs = {{"x", torch::randn({64, 2})}}}, teachers);
    const auto losses = mtl::task_losses(*student, student->forward(batch.inputs), batch);
    adam.zero_grad();
    combiner.backward(losses, student);
    adam.step();
    last = combiner.combine(losses).item<double>();
    if (step == 0) first = last;
  }
  CHECK(last < 0.05 * first);
  const auto x = torch::randn({200, 2});
  kind->eval();
  const auto same = student->forward({{"x", x}})["kind"].argmax(1).eq(
      kind->forward({{"x", x}})["kind"].argmax(1));
  CHECK(same.to(torch::kDouble).mean().item<double>() > 0.9);
}
