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

  mtl::evaluate::JudgedTable judged;
  judged.add(learnt.model, data, train, unseen);
  std::printf("%s", mtl::report::table_text(learnt, judged).c_str());
  const auto all = mtl::evaluate::cross_validate(data, 3, {.epochs = 20, .networks = 1});

  mtl::save_bundle(learnt.model.networks, folder / "model",
                   mtl::table_notes(learnt.model.encoder, learnt.model.tasks));
  mtl::Predictor predictor(folder / "model");
  const auto told = predictor.predict(mtl::Table::read(folder / "houses.csv"));

  const int64_t row = unseen[0].item<int64_t>();
  std::printf("a house of price %.0f is said to cost %.0f, by the bundle %.0f; by folds %.3f\n",
              data.targets["price"][row].item<double>(), answers["price"][row].item<double>(),
              told["price"].values[row].item<double>(), all.relative_rmse("price"));
  std::filesystem::remove_all(folder);
  return 0;
}
