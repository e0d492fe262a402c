#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

using mtl::Tensor;

mtl::TaskRegistry three_kinds() {
  return {{.name = "price", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}},
          {.name = "kind", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::CrossEntropy{}},
          {.name = "sold", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::BinaryCrossEntropy{}}};
}

std::vector<std::shared_ptr<mtl::Model>> members(size_t count) {
  std::vector<std::shared_ptr<mtl::Model>> found;
  while (found.size() < count)
    found.push_back(mtl::HardSharing(tanh_layer(2, 4), three_kinds()).ptr());
  return found;
}

}  // namespace

TEST_CASE("Ensemble: the mean of values, of class probabilities, of chances") {
  torch::manual_seed(1);
  const auto each = members(3);
  for (const auto& member : each) member->to(torch::kDouble);
  mtl::Ensemble together(each);
  const Tensor x = 3 * torch::randn({5, 2}, torch::kDouble);
  const mtl::NamedTensors found = together->forward({{"x", x}});
  Tensor price = torch::zeros({5, 1}, torch::kDouble), kind = torch::zeros({5, 3}, torch::kDouble),
         sold = torch::zeros({5, 1}, torch::kDouble);
  for (const auto& member : each) {
    const mtl::NamedTensors own = member->forward({{"x", x}});
    price += own["price"] / 3;
    kind += own["kind"].softmax(1) / 3;
    sold += own["sold"].sigmoid() / 3;
  }
  CHECK(found["price"].allclose(price, 1e-12, 1e-12));
  CHECK(found["kind"].exp().allclose(kind, 1e-12, 1e-12));
  CHECK(found["sold"].sigmoid().allclose(sold, 1e-12, 1e-12));
}

TEST_CASE("Ensemble: several outputs that are yes or no each, and sequences of class scores") {
  torch::manual_seed(4);
  std::vector<std::shared_ptr<mtl::Model>> each;
  for (int k = 0; k < 2; ++k) {
    const mtl::TaskRegistry tasks{
        {.name = "tags", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::BinaryCrossEntropy{}},
        {.name = "letters", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::Ctc{}}};
    each.push_back(mtl::HardSharing(tanh_layer(2, 4), tasks).ptr());
  }
  mtl::Ensemble together(each);
  auto copy = mtl::clone(together);
  const Tensor x = 3 * torch::randn({2, 5, 2});  // [N, steps, features]
  for (auto* ensemble : {&together, &copy}) {
    const mtl::NamedTensors found = (*ensemble)->forward({{"x", x}});
    const auto mean = [&](const char* task, auto probability) {
      return (probability(each[0]->forward({{"x", x}})[task]) +
              probability(each[1]->forward({{"x", x}})[task])) /
             2;
    };
    const auto sigmoid = [](const Tensor& y) { return y.sigmoid(); };
    const auto of_steps = [](const Tensor& y) { return y.softmax(2); };
    CHECK(found["tags"].sigmoid().allclose(mean("tags", sigmoid)));
    CHECK(found["letters"].exp().allclose(mean("letters", of_steps)));
  }
}

TEST_CASE("Ensemble: of one member it is that member's answer, however sure it is") {
  torch::manual_seed(2);
  auto one = members(1);
  mtl::Ensemble together(one);
  const Tensor x = 300 * torch::randn({5, 2});
  const mtl::NamedTensors found = together->forward({{"x", x}}), own = one[0]->forward({{"x", x}});
  CHECK(found["price"].allclose(own["price"]));
  CHECK(found["sold"].allclose(own["sold"], 1e-4, 1e-4));
  CHECK(found["kind"].allclose(own["kind"].log_softmax(1)));
}

TEST_CASE("Ensemble: parameters are the members'; a clone goes its own way") {
  torch::manual_seed(3);
  mtl::Ensemble together(members(2));
  CHECK(together->parameters().size() == 2 * 8);
  CHECK(together->task_parameters("kind").size() == 2 * 2);
  CHECK(together->shared_parameters().size() == 2 * 2);
  const auto names = together->named_parameters().keys();
  CHECK(std::count_if(names.begin(), names.end(), [](const std::string& name) {
          return name.starts_with("member1.heads.sold.");
        }) == 2);
  const Tensor x = torch::randn({3, 2});
  auto copy = mtl::clone(together);
  CHECK(copy->forward({{"x", x}})["kind"].equal(together->forward({{"x", x}})["kind"]));
  move_weights(*copy);
  CHECK_FALSE(copy->forward({{"x", x}})["kind"].equal(together->forward({{"x", x}})["kind"]));
}

TEST_CASE("Ensemble: what does not answer the same tasks is no member") {
  auto mixed = members(1);
  CHECK(contains(error_text([&] { mtl::Ensemble(std::vector(mixed.begin(), mixed.begin())); }),
                 "there is no member"));
  mixed.push_back(mtl::HardSharing(tanh_layer(2, 4), tasks_named({"price"})).ptr());
  CHECK(contains(error_text([&] { mtl::Ensemble together(mixed); }),
                 "member 1 has other tasks than the first"));
  CHECK(contains(error_text([&] {
                   mtl::EnsembleImpl together(members(2), {1, 0});
                 }),
                 "classes of 2 tasks, expected one each of 3"));
  mixed[1] = nullptr;
  CHECK(contains(error_text([&] { mtl::Ensemble together(mixed); }), "member 1 is empty"));
}

TEST_CASE("Ensemble: members whose answers differ in shape are an Error that names them") {
  const auto member = [](int64_t classes) {
    return mtl::HardSharing(tanh_layer(2, 4), {{.name = "kind",
                                                .head = mtl::nn::LinearHead(4, classes),
                                                .loss = mtl::CrossEntropy{}}})
        .ptr();
  };
  mtl::Ensemble model({member(3), member(4)});
  CHECK(contains(error_text([&] {
                   model->forward({{"x", torch::randn({5, 2})}});
                 }),
                 "task \"kind\": member 1 gives [5, 4], and task \"kind\": member 0 [5, 3]"));
}

TEST_CASE("Ensemble: boxes in no order have no mean") {
  const auto member = [] {
    return mtl::HardSharing(
               tanh_layer(2, 4),
               {{.name = "boxes", .head = mtl::nn::LinearHead(4, 6), .loss = mtl::BoxSetLoss{}}})
        .ptr();
  };
  CHECK(contains(error_text([&] {
                   mtl::Ensemble together({member(), member()});
                 }),
                 "\"boxes\" are in no order and have no mean"));
}

TEST_CASE("Ensemble: maps [N, H, W] of Dice may be of one class, which who knows says") {
  torch::manual_seed(5);
  std::vector<std::shared_ptr<mtl::Model>> each;
  for (int k = 0; k < 2; ++k)
    each.push_back(
        mtl::HardSharing(tanh_layer(2, 4),
                         {{.name = "map", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::Dice{}}})
            .ptr());
  mtl::Ensemble unsaid(each);
  const auto found = [&](mtl::EnsembleImpl& together, const Tensor& x, auto probability) {
    const Tensor own = together.forward({{"x", x}})["map"];
    return probability(own).allclose((probability(each[0]->forward({{"x", x}})["map"]) +
                                      probability(each[1]->forward({{"x", x}})["map"])) /
                                     2);
  };
  const auto sigmoid = [](const Tensor& y) { return y.sigmoid(); };
  const auto softmax = [](const Tensor& y) { return y.softmax(1); };
  const Tensor maps = 3 * torch::randn({2, 5, 2});
  for (auto together : {unsaid, mtl::clone(unsaid)}) {
    CHECK(contains(error_text([&] {
                     together->forward({{"x", maps}});
                   }),
                   "[2, 5, 3] are maps of one class or steps with scores of 5 classes"));
    CHECK(found(*together, maps[0], sigmoid));
    CHECK(found(*together, 3 * torch::randn({2, 5, 4, 2}), softmax));
  }
  mtl::EnsembleImpl one_class(each, {0});
  CHECK(found(one_class, maps, sigmoid));
}

TEST_CASE("Ensemble: its members can be trained together") {
  torch::manual_seed(6);
  const auto each = members(3);
  mtl::Ensemble together(each);
  const Tensor x = torch::randn({5, 2});
  const mtl::Batch batch{{{"x", x}},
                         {{"price", torch::randn({5})},
                          {"kind", torch::tensor({0, 1, 2, 1, 0})},
                          {"sold", torch::tensor({0.f, 1.f, 1.f, 0.f, 1.f})}}};
  const auto losses = mtl::task_losses(together, together->forward(batch.inputs), batch);
  const auto parameters = together->parameters();
  const auto expected =
      torch::autograd::grad({losses.values[0] + losses.values[1] + losses.values[2]}, parameters,
                            {}, /*retain_graph=*/true);
  mtl::Sum().backward(losses, together);
  for (size_t p = 0; p < parameters.size(); ++p) CHECK(parameters[p].grad().allclose(expected[p]));
  CHECK(together->parameter_sets().shared.size() == 3 * 2);
  CHECK(each[1]->parameter_sets().shared.size() == 2);
  CHECK_THROWS_AS(
      mtl::HardSharing(
          mtl::Encoder(std::static_pointer_cast<mtl::HardSharingImpl>(each[2])->encoder()),
          three_kinds()),
      mtl::Error);
}
