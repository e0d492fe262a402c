// The code of docs/data.md that learns from a table.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>

int main() {
  const auto folder = std::filesystem::temp_directory_path() / "mtl_docs_tables";
  std::string csv = "id,area,town,price,sold\n";
  for (int i = 0; i < 120; ++i) {
    const int area = 50 + 37 * i % 100;
    csv += std::to_string(i) + "," + std::to_string(area) + "," + (i % 3 == 0 ? "Elm" : "Oak") +
           "," + std::to_string(3 * area) + "," + (area > 100 ? "yes" : "no") + "\n";
  }
  mtl::io::make_folder(folder);
  mtl::io::write_file_atomically(folder / "houses.csv", csv);

  const auto houses = mtl::Table::read(folder / "houses.csv");
  const auto data = mtl::TableData::read(houses, {"price:regression", "sold:binary"}, {"id"});
  const auto [train, unseen] = mtl::random_split(data.rows(), {0.8, 0.2}, 0);
  auto learnt = mtl::learn_table(data, train, {.epochs = 40, .networks = 2});
  const auto answers = learnt.model.predict(data.inputs);  // in the file's units

  std::printf("%s is chosen; a house of price %.0f is said to cost %.0f\n",
              learnt.model.recipe.name.c_str(), data.targets["price"][unseen[0]].item<double>(),
              answers["price"][unseen[0]].item<double>());
  std::filesystem::remove_all(folder);
  return 0;
}
