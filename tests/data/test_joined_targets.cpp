#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/joined_targets.hpp"
#include "mtl/data/loader.hpp"

namespace {

const double unlabelled = std::nan("");

}  // namespace

TEST_CASE("joined_target: columns in their order, real as soon as one is") {
  const torch::Tensor height = torch::tensor({1.5, unlabelled, 3.5}, torch::kDouble),
                      kind = torch::tensor({2, -100, 0}, torch::kInt64),
                      place = torch::arange(6, torch::kFloat).view({3, 2});
  const torch::Tensor joined = mtl::joined_target({height, kind, place});
  REQUIRE(joined.sizes() == torch::IntArrayRef({3, 4}));
  CHECK(joined.scalar_type() == torch::kDouble);
  // A label that one of them lacks is missing in its column only.
  CHECK(joined[0].equal(torch::tensor({1.5, 2.0, 0.0, 1.0}, torch::kDouble)));
  CHECK(joined[1].isnan().equal(torch::tensor({true, true, false, false})));
  CHECK(joined[2].equal(torch::tensor({3.5, 0.0, 4.0, 5.0}, torch::kDouble)));

  const torch::Tensor whole = mtl::joined_target({kind, kind});
  CHECK(whole.scalar_type() == torch::kInt64);
  CHECK(whole[1].eq(mtl::missing_class).all().item<bool>());
  // 156 has the bits of -100 in eight, and is a label there.
  const torch::Tensor bytes = torch::full({3}, 156, torch::kUInt8);
  CHECK(mtl::joined_target({bytes, height}).select(1, 0).eq(156).all().item<bool>());
}

TEST_CASE("joined_target: what does not fit side by side is named") {
  const torch::Tensor a = torch::zeros({3}), b = torch::zeros({2});
  CHECK(contains(error_text([&] { mtl::joined_target({}); }), "no target"));
  CHECK(contains(error_text([&] { mtl::joined_target({a, b}); }), "target 1 is [2]"));
  CHECK(contains(error_text([&] {
                   mtl::joined_target({a, torch::zeros({3, 2, 2})});
                 }),
                 "target 1 is [3, 2, 2], expected [N] or [N, K]"));
  CHECK(contains(error_text([&] { mtl::joined_target({a, torch::Tensor()}); }), "undefined"));
}

TEST_CASE("JoinedTargets: a data set gives them batch by batch, beside those they are made of") {
  const torch::Tensor x = torch::arange(10, torch::kFloat).view({5, 2});
  const mtl::TensorDataset plain(
      {{"x", x}}, {{"a", x.select(1, 0)}, {"b", x.select(1, 1)}, {"c", -x.select(1, 0)}});
  const mtl::JoinedTargets data(
      plain, {{.name = "ca", .from = {"c", "a"}}, {.name = "again", .from = {"ca", "b"}}});
  mtl::BatchLoader loader(data, {.batch_size = 2, .shuffle = true, .seed = 3});
  int64_t rows = 0;
  for (mtl::Batch batch; loader.next(batch); rows += batch.targets["ca"].size(0)) {
    const torch::Tensor here = batch.inputs["x"];
    CHECK(batch.targets["ca"].equal(torch::stack({-here.select(1, 0), here.select(1, 0)}, 1)));
    CHECK(batch.targets["again"].select(1, 2).equal(batch.targets["b"]));
    CHECK(batch.complete);
  }
  CHECK(rows == 5);
}

TEST_CASE("JoinedTargets: a target that is not there, or there already, is named") {
  const mtl::TensorDataset plain({{"x", torch::ones({3})}}, {{"a", torch::ones({3})}});
  const auto get = [&](mtl::JoinedTarget one) {
    return error_text([&] { mtl::JoinedTargets(plain, {one}).get(torch::arange(2)); });
  };
  CHECK(contains(get({"j", {"a", "bb"}}), "target \"j\" is made of \"bb\", which a batch lacks"));
  CHECK(contains(get({"a", {"a"}}), "has a target \"a\" already"));
  CHECK(contains(get({"", {"a"}}), "give it a name"));
  CHECK(contains(get({"j", {}}), "made of 0 others"));
}

TEST_CASE("joined_target: whole numbers beside halves keep their range") {
  const auto joined = mtl::joined_target(
      {torch::tensor({70'000, -100}, torch::kLong), torch::tensor({0.5, 1.0}).to(torch::kHalf)});
  CHECK(joined[0][0].item<double>() == 70'000);
  CHECK(joined[1][0].isnan().item<bool>());
  CHECK(joined[0][1].item<double>() == 0.5);
}
