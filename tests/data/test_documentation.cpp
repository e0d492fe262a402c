// The code of docs/data.md beside its first program.
#include <cmath>
#include <fstream>

#include "catch.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/safetensors.hpp"
#include "temporary_folder.hpp"

namespace {

struct Noise {
  int64_t size() const { return 1000; }
  mtl::Batch get(const torch::Tensor& indices) const {  // int64 [n]
    const auto x = torch::randn({indices.size(0), 8});
    return {{{"input", x}}, {{"sum", x.sum(1)}}, /*complete=*/true};
  }
};

}  // namespace

TEST_CASE("docs/data.md: missing labels") {
  const double missing = std::nan("");
  const mtl::TensorDataset data({{"input", torch::rand({3, 2})}},
                                {{"temperature", torch::tensor({15.2, missing, 18.6})},
                                 {"weather", torch::tensor({0, 2, -100}, torch::kInt64)}});
  CHECK_FALSE(data.complete());
}

TEST_CASE("docs/data.md: several inputs, sample weights") {
  const torch::Tensor images = torch::rand({4, 3, 8, 8}), ages = torch::rand({4, 1});
  const torch::Tensor grades = torch::tensor({0, 1, 2, 1}, torch::kInt64);
  const torch::Tensor weights = torch::tensor({1.0, 0.0, 2.0, 1.0});
  const mtl::TensorDataset patients({{"image", images}, {"age", ages}}, {{"grade", grades}},
                                    weights);  // [rows]
  const auto batch = patients.get(torch::tensor({2, 0}, torch::kInt64));
  CHECK(batch.inputs["age"].equal(ages.index_select(0, torch::tensor({2, 0}, torch::kInt64))));
  CHECK(batch.sample_weights.equal(torch::tensor({2.0, 1.0})));
}

TEST_CASE("docs/data.md: from a CSV file to the parts of a split") {
  TemporaryFolder folder;
  std::ofstream(folder / "houses.csv")
      << "rooms,area,kind\n3,70.5,flat\n5,120,house\n,90,\n2,45,flat\n";

  const auto table = mtl::Table::read(folder / "houses.csv");
  const torch::Tensor inputs = table.matrix({"rooms", "area"});  // [rows, 2] float64, NaN = missing
  const auto kinds = mtl::LabelEncoder::learn(table.texts("kind"));
  const torch::Tensor kind = kinds.encode(table.texts("kind"));  // [rows] int64, -100 = missing
  const mtl::TensorDataset data({{"input", inputs.to(torch::kFloat32)}}, {{"kind", kind}});

  size_t cells = 0;
  const std::string text = mtl::io::read_text(folder / "houses.csv");
  for (mtl::io::CsvReader row(text, "houses.csv"); row.next();) {
    cells += row.cells().size();
  }
  CHECK(cells == 15);

  const auto [train, valid] = mtl::chronological_split(data.size(), {0.7, 0.3});
  const mtl::TensorDataset training_part = data.rows(train), validation_part = data.rows(valid);
  CHECK(training_part.complete());
  CHECK(validation_part.size() == 2);
}

TEST_CASE("docs/data.md: columns of any kind as inputs") {
  TemporaryFolder folder;
  std::ofstream(folder / "houses.csv")
      << "area,town,listed\n70.5,Elm,2024-02-29\n120,Oak,2024-03-01\n,Elm,2024-03-05\n";
  std::ofstream(folder / "new.csv") << "area,town,listed\n80,Rome,2024-04-01\n";
  const auto training_rows = torch::arange(2);

  const auto table =
      mtl::Table::read(folder / "houses.csv", {.separator = mtl::Table::any_separator});
  const auto columns = mtl::read_columns(table, {"area", "town", "listed"});
  const mtl::TableEncoder encoder(columns, training_rows);
  const torch::Tensor inputs = encoder.encode(columns);  // [rows, encoder.size()] float32

  const auto others = encoder.read(mtl::Table::read(folder / "new.csv"));
  const torch::Tensor same_columns = encoder.encode(others);
  for (const std::string& line : encoder.unseen(others)) {
    CHECK(line.find("\"Rome\"") != std::string::npos);
  }
  CHECK(inputs.size(1) == same_columns.size(1));
}

TEST_CASE("docs/data.md: columns to be predicted") {
  const auto table = mtl::Table::parse("price,kind,area\n3,b,30\n2,a,20\n,b,10\n", "houses.csv");
  const auto training_rows = torch::arange(2);

  auto columns = mtl::parse_target_columns({"price:regression", "kind:classes"});
  const mtl::NamedTensors truth = mtl::read_targets(table, columns);  // columns[1].classes: a, b
  const auto targets = mtl::scaled_targets(columns, truth, training_rows);
  const auto inputs = mtl::read_columns(table, mtl::columns_but(table, {"price", "kind"}));
  CHECK(targets["price"].size(0) == 3);
  CHECK(inputs.size() == 1);
}

TEST_CASE("docs/data.md: scaling and filling") {
  const torch::Tensor x = torch::rand({10, 3}) * 20;
  const auto [train, valid] = mtl::chronological_split(x.size(0), {0.7, 0.3});

  const mtl::StandardScaler scaler(x.index_select(0, train));
  const torch::Tensor scaled = scaler.transform(x);
  const torch::Tensor degrees = scaler.inverse_transform(scaled);
  CHECK(torch::allclose(degrees, x));

  TemporaryFolder folder;
  mtl::io::write_safetensors(folder / "scaler.safetensors", scaler.state_dict());
  const auto again = mtl::StandardScaler::from_state_dict(
      mtl::io::read_safetensors(folder / "scaler.safetensors"));
  CHECK(again.transform(x).equal(scaled));

  const torch::Tensor filled = mtl::fill_from_earlier(x);
  CHECK(filled.equal(x));
}

TEST_CASE("docs/data.md: windows") {
  const torch::Tensor days = torch::rand({60, 10}), temperature = torch::rand({60});
  const torch::Tensor day_numbers = torch::arange(60);

  const mtl::WindowDataset windows({{"input", days}}, {{"temperature", temperature}},
                                   {.length = 14, .horizon = 1}, day_numbers);
  mtl::BatchLoader loader(windows, {.batch_size = 32});  // input [32, 14, features], target [32]
  mtl::Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.inputs["input"].sizes().vec() == std::vector<int64_t>{32, 14, 10});
}

TEST_CASE("docs/data.md: feeding a GPU") {
  const mtl::TensorDataset data({{"input", torch::rand({100, 3})}}, {{"sum", torch::rand({100})}});
  const torch::Device device = torch::kCPU;

  mtl::BatchLoader batches(data, {.batch_size = 64, .shuffle = true});
  mtl::Prefetch train(batches, {.device = device});  // trainer.fit(train, valid)
  CHECK(train.batches() == 2);
}

TEST_CASE("docs/data.md: data of one's own") {
  mtl::BatchLoader loader(Noise{}, {.batch_size = 100});
  CHECK(loader.batches() == 10);
}

TEST_CASE("docs/data.md: sources side by side") {
  const auto labelled = [](int64_t rows, const std::string& task) {
    return mtl::TensorDataset({{"image", torch::rand({rows, 4})}}, {{task, torch::rand({rows})}});
  };
  const auto photos = labelled(640, "age"), scans = labelled(100, "grade");

  mtl::Sources train(
      {{.name = "photos", .loader = mtl::BatchLoader(photos, {.shuffle = true, .seed = 1})},
       {.name = "scans", .loader = mtl::BatchLoader(scans, {.shuffle = true, .seed = 2})}},
      {.sampling = mtl::Sampling::temperature(2), .seed = 3});
  for (const auto& source : train.per_epoch())  // photos 20 of 20, scans 9 of 4
    CHECK(source.batches >= source.available);
  CHECK(train.batches() == 29);
}

TEST_CASE("docs/data.md: ragged samples") {
  std::vector<mtl::Sample> sentences;
  for (const int64_t words : {7, 4, 9})
    sentences.push_back({{{"words", torch::randint(100, {words})}},
                         {{"tags", torch::randint(5, {words})}, {"mood", torch::tensor(1)}}});

  const mtl::SampleDataset data(sentences, mtl::PadToLongest{.ragged = {"words", "tags"}});
  mtl::BatchLoader loader(data, {.batch_size = 2});
  mtl::Batch batch;
  loader.next(batch);  // words [2, 7], words_length [2]; tags [2, 7], -100 behind the end

  const mtl::Collate my_collate = [](const std::vector<mtl::Sample>& samples) {
    std::vector<torch::Tensor> counts;
    for (const auto& sample : samples)
      counts.push_back(torch::bincount(sample.inputs["words"], {}, 100));
    return mtl::Batch{{{"word_counts", torch::stack(counts)}}};  // [n, 100]
  };
  CHECK(batch.inputs["words"].size(1) == 7);
  CHECK(mtl::SampleDataset(sentences, my_collate)
            .get(torch::arange(3))
            .inputs["word_counts"]
            .size(0) == 3);
}
