#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "mtl/mtl.hpp"

namespace recommender {
using mtl::Tensor;

/// A shop of which everything is known. Taste draws clicks and purchases alike, so that among the
/// clicks more is bought than it would be among all impressions.
struct Shop {
  int64_t users = 300, items = 200;
  Tensor click = {};  ///< its chance, [users items]
  Tensor buy = {};    ///< the chance that a click becomes a purchase
};

inline Shop open_shop(uint64_t seed) {
  torch::Generator random = mtl::make_generator(seed);
  Shop shop;
  const auto draw = [&](at::IntArrayRef sizes) { return torch::randn(sizes, random); };
  const auto like = [&](const Tensor& other) { return 0.8 * other + 0.6 * draw(other.sizes()); };
  const auto chance = [](double base, const Tensor& user, const Tensor& item,
                         const Tensor& appeal) {
    return (base + 0.5 * user.mm(item.t()) + 0.8 * appeal).sigmoid().flatten();
  };
  const Tensor user = draw({shop.users, 6}), item = draw({shop.items, 6}),
               appeal = draw(shop.items);
  shop.click = chance(-2.5, user, item, appeal);
  shop.buy = chance(-1.5, like(user), like(item), like(appeal));
  return shop;
}

/// What the log says of impressions: pairs [N], user * items + item.
inline mtl::TensorDataset shop_log(const Shop& shop, const Tensor& pairs, torch::Generator random) {
  const auto happens = [&](const Tensor& chances) {
    return torch::rand(pairs.sizes(), random).lt(chances.index_select(0, pairs)).to(torch::kFloat);
  };
  const Tensor click = happens(shop.click), buy = click * happens(shop.buy);
  return mtl::TensorDataset(
      {{"user", pairs.div(shop.items, "floor")}, {"item", pairs.remainder(shop.items)}},
      {{"click", click}, {"buy", buy}, {"buy_after_click", buy.masked_fill(click.eq(0), NAN)}});
}

/// UCI Adult's adult.data: whether somebody earns more than 50K, and was never married, from all
/// other columns; the tasks of Ma et al., KDD 2018. Error: it is another file.
inline mtl::TensorDataset read_adult(const std::filesystem::path& file) {
  std::string text =
      "age,workclass,weight,education,education_years,marital,occupation,relationship,race,sex,"
      "capital_gain,capital_loss,hours,country,income\n" +
      mtl::io::read_file(file);
  std::erase(text, ' ');
  const auto table = mtl::Table::parse(text, file.string(), {.missing = {"", "?"}});
  std::vector<std::string> names = table.columns();
  std::erase_if(names, [](const auto& name) { return name == "marital" || name == "income"; });
  const auto columns = mtl::read_columns(table, names);
  const auto is = [&](const char* column, const char* value) {
    std::vector<float> yes;
    for (const std::string& cell : table.texts(column)) yes.push_back(cell == value ? 1 : 0);
    return torch::tensor(yes);
  };
  return mtl::TensorDataset(
      {{"x", mtl::TableEncoder(columns).encode(columns)}},
      {{"income", is("income", ">50K")}, {"never_married", is("marital", "Never-married")}});
}

}  // namespace recommender
