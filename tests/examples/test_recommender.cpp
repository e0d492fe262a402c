#include <catch.hpp>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "recommender/data.hpp"
#include "temporary_folder.hpp"

using namespace recommender;

TEST_CASE("Recommender example: the log follows the shop's chances, and more is bought of clicks") {
  const Shop shop = open_shop(0);
  torch::Generator random = mtl::make_generator(1);
  const Tensor pairs = torch::randint(shop.users * shop.items, {200000}, random, torch::kLong);
  const mtl::TensorDataset log = shop_log(shop, pairs, random);
  const Tensor click = log.targets()["click"], buy = log.targets()["buy"];
  const Tensor after = log.targets()["buy_after_click"];
  const double of_clicks = ((shop.click * shop.buy).sum() / shop.click.sum()).item<double>();
  CHECK(click.mean().item<double>() == Approx(shop.click.mean().item<double>()).margin(0.004));
  CHECK((buy.sum() / click.sum()).item<double>() == Approx(of_clicks).margin(0.02));
  CHECK(of_clicks > shop.buy.mean().item<double>() + 0.1);
  CHECK(after.isnan().equal(click.eq(0)));
  CHECK(buy.masked_select(click.eq(0)).eq(0).all().item<bool>());
  CHECK((log.inputs()["user"] * shop.items + log.inputs()["item"]).equal(pairs));
}

TEST_CASE("Recommender example: reads UCI Adult as it is published") {
  const TemporaryFolder folder;
  mtl::io::write_file_atomically(
      folder / "adult.data",
      "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, "
      "Male, 2174, 0, 40, United-States, <=50K\n"
      "50, ?, 83311, Bachelors, 13, Married-civ-spouse, Exec-managerial, Husband, White, "
      "Male, 0, 0, 13, United-States, >50K\n"
      "38, Private, 215646, HS-grad, 9, Divorced, Handlers-cleaners, Not-in-family, White, "
      "Male, 0, 0, 40, Cuba, <=50K\n\n");
  const mtl::TensorDataset adult = read_adult(folder / "adult.data");
  CHECK(adult.targets()["income"].equal(torch::tensor({0.0F, 1.0F, 0.0F})));
  CHECK(adult.targets()["never_married"].equal(torch::tensor({1.0F, 0.0F, 0.0F})));
  CHECK(adult.inputs()["x"].isfinite().all().item<bool>());
  mtl::io::write_file_atomically(folder / "other", "1,2\n");
  CHECK(contains(error_text([&] { read_adult(folder / "other"); }), "other, line 2"));
}
