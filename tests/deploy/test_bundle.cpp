#include "mtl/deploy/bundle.hpp"

#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "catch.hpp"
#include "error_text.hpp"
#include "every_way.hpp"
#include "mtl/deploy/answer_text.hpp"
#include "mtl/deploy/predictor.hpp"
#include "mtl/deploy/table_notes.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"
#include "temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;

/// A price and a kind of houses from three columns.
struct Houses {
  torch::Tensor rows = torch::randn({40, 3}, torch::kDouble) * 20 + 100;
  torch::Tensor prices = torch::randn({40}, torch::kDouble) * 5e4 + 3e5;
  mtl::StandardScaler inputs{rows};
  mtl::MinMaxScaler outputs{prices};
  std::shared_ptr<mtl::Model> model = mtl::HardSharing(gelu_layer(3, 4), two_tasks(4)).ptr();

  mtl::BundleNotes notes() const {
    return {.inputs = {{"x", {"rooms", "area", "age"}, inputs}},
            .tasks = {{.task = "b", .labels = {"flat", "house"}},
                      {.task = "a", .unit = "EUR", .scaler = outputs}},
            .metrics = {{"price, R2 on the test part", 0.9}},
            .description = "houses",
            .licence = "CC0-1.0",
            .data = "made up"};
  }
  void save(const fs::path& folder) const { mtl::save_bundle(*model, folder, notes()); }
};

int64_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// What is said of a bundle whose JSON was changed, with a digest that fits again where asked.
std::string fault_in_json(const std::function<void(mtl::io::Json&)>& change) {
  const TemporaryFolder folder;
  Houses().save(folder / "houses");
  auto json = mtl::io::read_json(folder / "houses" / "bundle.json");
  change(json);
  json.erase("digest");
  mtl::io::Digest digest;
  digest.update(mtl::io::json_text(json, -1));
  json["digest"] = digest.text();
  mtl::io::write_json(folder / "houses" / "bundle.json", json);
  return error_text([&] { mtl::load_bundle(folder / "houses"); });
}

}  // namespace

TEST_CASE("bundle: answers in the user's units, by hand and by Predictor") {
  torch::manual_seed(1);
  const TemporaryFolder folder;
  Houses houses;
  settle_weights(*houses.model, 1);
  houses.save(folder / "houses");
  mtl::Predictor predictor(folder / "houses");
  const auto answers = predictor.predict({{"x", houses.rows}});

  const auto outputs =
      houses.model->forward({{"x", houses.inputs.transform(houses.rows).to(torch::kFloat)}});
  const auto price = outputs["a"].squeeze(1).to(torch::kDouble) * houses.outputs.scale() +
                     houses.outputs.minimum();
  CHECK(answers["a"].kind == mtl::AnswerKind::values);
  CHECK(answers["a"].unit == "EUR");
  CHECK(answers["a"].values.allclose(price, 1e-12));
  CHECK(answers["b"].kind == mtl::AnswerKind::classes);
  CHECK(answers["b"].probabilities.allclose(outputs["b"].to(torch::kDouble).softmax(1), 1e-12));
  const auto texts = answers["b"].texts();
  for (int64_t i = 0; i < 40; ++i)
    CHECK(texts[static_cast<size_t>(i)] ==
          (outputs["b"][i].argmax().item<int64_t>() == 0 ? "flat" : "house"));
  CHECK(contains(error_text([&] { answers["c"]; }), "no task \"c\"; the model has: a, b"));
  CHECK(contains(error_text([&] { answers["a"].texts(); }), "no classes"));
}

TEST_CASE("bundle: a sample of which the outputs are NaN is of no class") {
  const TemporaryFolder folder;
  Houses houses;
  houses.save(folder / "houses");
  auto rows = houses.rows.slice(0, 0, 2).clone();
  rows[0][1] = std::nan("");
  const auto answers = mtl::Predictor(folder / "houses").predict({{"x", rows}});
  CHECK(answers["b"].values[0].item<int64_t>() == -100);
  CHECK(answers["b"].values[1].item<int64_t>() >= 0);
  CHECK(answers["b"].texts()[0].empty());
  CHECK_FALSE(answers["b"].texts()[1].empty());
}

TEST_CASE("bundle: sequences of class scores are given as they are") {
  const TemporaryFolder folder;
  auto model = mtl::HardSharing(
      gelu_layer(3, 4),
      {{.name = "letters", .head = mtl::nn::LinearHead(4, 5), .loss = mtl::Ctc{}}});
  mtl::save_bundle(model, folder / "b");
  const auto x = torch::randn({2, 6, 3});
  const auto answers = mtl::Predictor(folder / "b").predict({{"x", x}});
  model->eval();
  CHECK(answers["letters"].kind == mtl::AnswerKind::values);
  CHECK(answers["letters"].values.equal(model->forward({{"x", x}})["letters"].to(torch::kDouble)));
}

TEST_CASE("AnswerText: rows without a sample, or of other cells, are errors") {
  const mtl::Answers answers{{{.task = "y",
                               .kind = mtl::AnswerKind::values,
                               .values = torch::tensor({1.5, 2.5}, torch::kDouble),
                               .probabilities = {},
                               .labels = {},
                               .unit = {}}}};
  const mtl::AnswerText text(mtl::AnswerText::Format::csv, false, {"id"});
  CHECK(text.lines(answers, {{"a"}, {"b"}}) == "a,1.5\nb,2.5\n");
  CHECK(text.lines(answers, {{"a"}, {"b"}, {"c"}}, {1, -1, 0}) == "a,2.5\nb,\nc,1.5\n");
  const auto fault = [&](const std::vector<std::vector<std::string>>& kept,
                         const std::vector<int64_t>& samples = {}) {
    return error_text([&] { text.lines(answers, kept, samples); });
  };
  CHECK(contains(fault({{"a"}, {"b"}, {"c"}}), "3 rows"));
  CHECK(contains(fault({{"a"}}, {2}), "up to 2, but 2 samples"));
  CHECK(contains(fault({{"a"}, {"b"}}, {0}), "2 rows with a list of 1 numbers"));
  CHECK(contains(fault({{"a"}, {}}), "a row of 0 cells for the 1 columns"));
}

TEST_CASE("bundle: every note comes back") {
  const TemporaryFolder folder;
  const Houses houses;
  houses.save(folder / "houses");
  const auto notes = mtl::load_bundle(folder / "houses").notes;
  CHECK(notes.inputs.at(0).columns == std::vector<std::string>{"rooms", "area", "age"});
  REQUIRE(notes.tasks.size() == 2);
  CHECK(notes.tasks[0].task == "a");
  CHECK(notes.tasks[1].labels == std::vector<std::string>{"flat", "house"});
  CHECK(notes.metrics.at(0).name == "price, R2 on the test part");
  CHECK(notes.metrics.at(0).value == 0.9);
  CHECK(notes.description + notes.licence + notes.data == "housesCC0-1.0made up");
  const auto scaler = std::get<mtl::StandardScaler>(notes.inputs[0].scaler);
  CHECK(scaler.mean().equal(houses.inputs.mean()));
  CHECK(scaler.scale().equal(houses.inputs.scale()));
}

TEST_CASE("bundle: scores are yes or no with a probability, several values stay several") {
  const TemporaryFolder folder;
  auto model = mtl::HardSharing(
      gelu_layer(3, 4),
      {{.name = "rain", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::BinaryCrossEntropy{}},
       {.name = "signs", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::BinaryCrossEntropy{}},
       {.name = "wind", .head = mtl::nn::LinearHead(4, 2), .loss = mtl::MeanSquaredError{}}});
  const mtl::StandardScaler winds(torch::randn({9, 2}) * 3 + 5);
  mtl::save_bundle(
      model, folder / "b",
      {.tasks = {{.task = "signs", .labels = {"p", "q", "r"}}, {.task = "wind", .scaler = winds}}});
  const auto x = torch::randn({5, 3});
  const auto answers = mtl::Predictor(folder / "b").predict({{"anything", x}});
  model->eval();
  const auto outputs = model->forward({{"x", x}});
  CHECK(answers["rain"].kind == mtl::AnswerKind::scores);
  CHECK(answers["rain"].probabilities.allclose(
      outputs["rain"].squeeze(1).to(torch::kDouble).sigmoid()));
  CHECK(answers["rain"].values.equal(outputs["rain"].squeeze(1).ge(0)));
  CHECK(answers["signs"].kind == mtl::AnswerKind::scores);
  CHECK(answers["signs"].values.equal(outputs["signs"].ge(0)));
  CHECK(
      answers["wind"].values.allclose(winds.inverse_transform(outputs["wind"].to(torch::kDouble))));
}

TEST_CASE("bundle: what becomes of a picture file is read back, and must make sense") {
  const TemporaryFolder folder;
  auto model = mtl::HardSharing(mtl::nn::CnnEncoder({.channels = {4}}), two_tasks(4));
  mtl::images::Preparation prepared{.width = 24,
                                    .height = 20,
                                    .shorter_side = 28,
                                    .filter = mtl::images::Filter::bicubic,
                                    .normalize = {{.4, .5, .6}, {.2, .25, .3}}};
  const auto save = [&] {
    mtl::save_bundle(model, folder / "b", {.inputs = {{.name = "image", .pictures = prepared}}});
  };
  save();
  const auto found = mtl::load_bundle(folder / "b").notes.inputs.at(0).pictures.value();
  CHECK(found.width == 24);
  CHECK(found.height == 20);
  CHECK(found.shorter_side == 28);
  CHECK(found.filter == mtl::images::Filter::bicubic);
  CHECK(found.normalize.mean == prepared.normalize.mean);
  CHECK(found.normalize.deviation == prepared.normalize.deviation);
  prepared.shorter_side = 23;
  CHECK(contains(error_text(save), "may not be there"));
  prepared.shorter_side = 0;
  prepared.width = 1 << 20;
  CHECK(contains(error_text(save), "expected 1 to 16384"));
  prepared.width = 24;
  prepared.normalize.deviation[1] = 0;
  CHECK(contains(error_text(save), "deviations above 0"));
}

TEST_CASE("bundle: rows of a table go in as they are, numbers, dates and texts") {
  const auto table = mtl::Table::parse(
      "area,town,listed,price,kind\n"
      "50,Elm,2024-01-31,150,flat\n"
      "90,Oak,2024-02-29,,house\n"
      ",Elm,2024-03-01,330,house\n",
      "houses.csv");
  auto tasks = mtl::parse_target_columns({"price:regression", "kind:classes"});
  const auto targets = mtl::read_targets(table, tasks);
  mtl::scaled_targets(tasks, targets, torch::arange(3));
  const auto columns = mtl::read_columns(table, {"area", "town", "listed"});
  const mtl::TableEncoder encoder(columns);
  mtl::HardSharing model(
      gelu_layer(encoder.size(), 4),
      {{.name = "price", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}},
       {.name = "kind", .head = mtl::nn::LinearHead(4, 2), .loss = mtl::CrossEntropy{}}});
  settle_weights(*model, 5);
  const TemporaryFolder folder;
  mtl::save_bundle(model, folder / "b", mtl::table_notes(encoder, tasks));
  mtl::Predictor predictor(folder / "b");
  const auto answers = predictor.predict(table);
  const auto outputs = model->forward({{"row", encoder.encode(columns)}});
  // The two labelled prices, 150 and 330, have the mean 240 and the deviation 90.
  CHECK(answers["price"].values.allclose(240 + 90 * outputs["price"].squeeze(1).to(torch::kDouble),
                                         1e-9, 1e-9));
  CHECK(answers["kind"].probabilities.allclose(outputs["kind"].to(torch::kDouble).softmax(1)));
  CHECK(answers["kind"].labels == std::vector<std::string>{"flat", "house"});
  const auto other = mtl::Table::parse("area,listed\n1,2024-01-01\n", "other.csv");
  CHECK(contains(error_text([&] { predictor.predict(other); }), "no column \"town\""));

  mtl::save_bundle(model, folder / "c", {.inputs = {{.name = "row"}}});
  CHECK(contains(error_text([&] { mtl::Predictor(folder / "c").predict(table); }),
                 "of which columns of a table its input \"row\" is made"));
}

TEST_CASE("bundle: predicting leaves gradients and the generator alone, and wants its inputs") {
  const TemporaryFolder folder;
  Houses().save(folder / "houses");
  mtl::Predictor predictor(folder / "houses");
  torch::manual_seed(7);
  const auto expected = torch::rand({1});
  torch::manual_seed(7);
  const auto answers = predictor.predict({{"x", torch::randn({2, 3})}});
  torch::manual_seed(7);
  mtl::Predictor another(folder / "houses");
  CHECK(torch::rand({1}).equal(expected));
  CHECK_FALSE(answers["a"].values.requires_grad());
  CHECK(contains(error_text([&] {
                   predictor.predict({{"y", torch::randn({2, 3})}});
                 }),
                 "no input \"x\""));
  CHECK(contains(error_text([&] {
                   predictor.predict({{"x", torch::randn({2, 4})}});
                 }),
                 "it learned from rows of shape [3], but was given [2, 4]"));
}

TEST_CASE("bundle: a model of one's own is loaded into one that is there") {
  const TemporaryFolder folder;
  Houses houses, others;
  settle_weights(*houses.model, 1);
  houses.save(folder / "houses");
  const auto bundle = mtl::load_bundle(folder / "houses", others.model);
  CHECK(bundle.model == others.model);
  CHECK_FALSE(others.model->is_training());
  const auto x = torch::randn({2, 3});
  CHECK(others.model->forward({{"x", x}})["a"].equal(houses.model->forward({{"x", x}})["a"]));
  const auto small = mtl::HardSharing(gelu_layer(3, 4), {two_tasks(4)[0]}).ptr();
  CHECK(contains(error_text([&] { mtl::load_bundle(folder / "houses", small); }),
                 R"(its tasks are ["a","b"], the model's ["a"])"));
}

TEST_CASE("bundle: the folder appears whole, and replaces a bundle only") {
  const TemporaryFolder folder;
  Houses houses;
  houses.save(folder / "deep" / "houses");
  houses.save(folder / "deep" / "houses");
  CHECK(entries(folder / "deep") == 1);
  CHECK(entries(folder / "deep" / "houses") == 2);
  std::ofstream(folder / "thesis.txt") << "years of work";
  CHECK(contains(error_text([&] { houses.save(folder.path()); }), "is there and is no bundle"));
  CHECK(contains(error_text([&] { houses.save(folder / "thesis.txt"); }), "is no bundle"));
  CHECK(contains(error_text([&] {
                   mtl::save_bundle(*houses.model, folder / "deep" / "houses",
                                    {.tasks = {{.task = "nobody's"}}});
                 }),
                 "nobody's"));
  CHECK(entries(folder / "deep" / "houses") == 2);
  CHECK(error_text([&] { mtl::load_bundle(folder / "deep" / "houses"); }).empty());
}

TEST_CASE("bundle: damage is an error that names the bundle") {
  const TemporaryFolder folder;
  const auto fault = [&](const std::function<void(const fs::path&)>& damage) {
    fs::remove_all(folder / "houses");
    Houses().save(folder / "houses");
    damage(folder / "houses");
    const auto text = error_text([&] { mtl::load_bundle(folder / "houses"); });
    CHECK(contains(text, "bundle \"" + (folder / "houses").string() + "\": "));
    return text;
  };
  const auto change_byte = [](const fs::path& file, int64_t at) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
    bytes.put('#');
  };
  fault([](const fs::path& p) { fs::remove_all(p); });
  fault([](const fs::path& p) { fs::remove(p / "bundle.json"); });
  fault([](const fs::path& p) { fs::remove(p / "weights.safetensors"); });
  CHECK(contains(fault([&](const fs::path& p) { change_byte(p / "weights.safetensors", -3); }),
                 "its digest differs"));
  CHECK(contains(fault([&](const fs::path& p) { fs::resize_file(p / "weights.safetensors", 100); }),
                 "its digest differs"));
  CHECK(contains(fault([&](const fs::path& p) { fs::resize_file(p / "bundle.json", 100); }),
                 "bundle.json"));
  CHECK(contains(fault([&](const fs::path& p) {
                   auto text = mtl::io::read_file(p / "bundle.json");
                   text.replace(text.find("CC0"), 3, "WTF");
                   std::ofstream(p / "bundle.json") << text;
                 }),
                 "does not fit its digest"));
  CHECK(contains(fault([&](const fs::path& p) {
                   fs::rename(p / "weights.safetensors", folder / "w");
                   fs::create_symlink(folder / "w", p / "weights.safetensors");
                 }),
                 "a link that leads out of its folder"));
  for (const char* name : {"bundle.json", "weights.safetensors"})  // and waits for no writer
    CHECK(contains(fault([&](const fs::path& p) {
                     fs::remove(p / name);
                     REQUIRE(::mkfifo((p / name).c_str(), 0600) == 0);
                   }),
                   std::string(name) + "\" is no regular file"));
}

TEST_CASE("bundle: what a stranger wrote is read with care") {
  using mtl::io::Json;
  REQUIRE(fault_in_json([](Json&) {}).empty());
  for (const char* name : {"../weights.safetensors", "/etc/passwd", "..", "", "a/b", "a\\b"}) {
    INFO(name);
    CHECK(contains(fault_in_json([&](Json& j) { j["weights"]["file"] = name; }),
                   "is no name of a file in its folder"));
  }
  CHECK(contains(fault_in_json([](Json& j) { j["version"] = 2; }), "version 2"));
  CHECK(contains(fault_in_json([](Json& j) { j["format"] = "pickle"; }), "not say that it is"));
  for (const char* member : {"model", "inputs", "tasks", "metrics", "licence", "weights"})
    CHECK(contains(fault_in_json([&](Json& j) { j.erase(member); }),
                   std::string("\"") + member + "\" is missing"));
  CHECK(contains(fault_in_json([](Json& j) { j["tasks"].erase(0); }), "each of 1 tasks"));
  CHECK(contains(fault_in_json([](Json& j) { j["tasks"][0]["name"] = "b"; }), "\"b\""));
  CHECK(contains(fault_in_json([](Json& j) { j["tasks"][0]["answer"] = "oracle"; }),
                 "tasks[0].answer: found \"oracle\", expected one of automatic"));
  CHECK(contains(fault_in_json([](Json& j) { j["inputs"][0]["scaler"]["shape"] = {1 << 30}; }),
                 "a scaler of shape [1073741824] has 3 numbers"));
  CHECK(contains(fault_in_json([](Json& j) { j["inputs"][0]["scaler"]["shape"] = {-3}; }),
                 "has 3 numbers"));
  CHECK(contains(fault_in_json([](Json& j) {
                   j["inputs"][0]["scaler"]["scale"] = {1, 0, 1};
                 }),
                 "a saved scale is not above 0"));
  CHECK(contains(fault_in_json([](Json& j) {
                   j["model"]["encoder"]["hidden_sizes"] = {1'000'000'000, 1'000'000'000};
                 }),
                 "its sizes ask for"));
  CHECK(contains(fault_in_json([](Json& j) { j["inputs"][0]["table"] = 3; }),
                 "input \"x\": a list of encoded columns was expected"));
  CHECK(contains(fault_in_json([](Json& j) { j["inputs"][0]["table"] = {3}; }), "input \"x\""));
  CHECK(contains(fault_in_json([](Json& j) {
                   j["inputs"][0]["table"] = {{{"name", "area"}}};
                 }),
                 "\"kind\""));
}

TEST_CASE("bundle: what a description asks for lies in the file, all parts together") {
  using mtl::io::Json;
  const auto fault = [](const char* head) {
    return fault_in_json([&](Json& j) { j["model"]["heads"]["a"] = mtl::io::parse_json(head); });
  };
  // No weight, but a bias, or running statistics, of gigabytes.
  for (const char* head :
       {R"({"kind": "nn.Linear", "in_features": 0, "out_features": 4000000000, "bias": true})",
        R"({"kind": "nn.BatchNorm1d", "num_features": 4000000000, "eps": 1e-5, "momentum": 0.1,
            "affine": false, "track_running_stats": true})",
        R"({"kind": "nn.Conv1d", "in_channels": 1, "out_channels": 4000000000, "kernel_size": [0],
            "stride": [1], "padding": [0], "dilation": [1], "groups": 1, "bias": true})"}) {
    INFO(head);
    CHECK(contains(fault(head), "its sizes ask for"));
  }
  std::string steps;  // each of them would have room, were it alone
  for (int i = 0; i < 1000; ++i)
    steps +=
        (i == 0 ? "" : ",") + ("{\"name\": \"" + std::to_string(i)) +
        R"(", "part": {"kind": "nn.Linear", "in_features": 4, "out_features": 4, "bias": true}})";
  CHECK(contains(fault((R"({"kind": "nn.Sequential", "steps": [)" + steps + "]}").c_str()),
                 "beside those of other parts"));
}

TEST_CASE("bundle: what losses said of the outputs outlives them, in ensembles and other bundles") {
  const TemporaryFolder folder;
  const auto make = [] {
    return mtl::HardSharing(
        gelu_layer(3, 4),
        {{.name = "flags", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::BinaryCrossEntropy{}},
         {.name = "kind", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::CrossEntropy{}},
         {.name = "price", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::MeanSquaredError{}}});
  };
  const auto frames = [] {
    return mtl::HardSharing(
        gelu_layer(3, 4),
        {{.name = "words", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::Ctc{}}});
  };
  const auto check = [&](const auto& model_of, const torch::Tensor& x) {
    const auto a = model_of(), b = model_of();
    mtl::save_bundle(a, folder / "a");
    mtl::save_bundle(b, folder / "b");
    const auto from_a = mtl::load_bundle(folder / "a").model;
    mtl::Ensemble trained({a.ptr(), b.ptr()}),
        loaded({from_a, mtl::load_bundle(folder / "b").model});
    trained->eval();
    const auto expected = trained->forward({{"x", x}}), found = loaded->forward({{"x", x}});
    for (const auto& item : expected) CHECK(found[item.key()].allclose(item.value()));
    mtl::save_bundle(*from_a, folder / "again");
    const auto first = mtl::Predictor(folder / "a").predict({{"x", x}}),
               second = mtl::Predictor(folder / "again").predict({{"x", x}});
    for (size_t t = 0; t < first.by_task.size(); ++t)
      CHECK(first.by_task[t].kind == second.by_task[t].kind);
  };
  check(make, torch::randn({5, 3}));
  check(frames, torch::randn({5, 6, 3}));
}

TEST_CASE("bundle: outputs of torch's losses that are probabilities, or yes or no each") {
  const TemporaryFolder folder;
  const auto make = [] {
    return mtl::HardSharing(
        gelu_layer(3, 4),
        {{.name = "click",
          .head = torch::nn::Sequential(torch::nn::Linear(4, 1), torch::nn::Sigmoid()),
          .loss = torch::nn::BCELoss()},
         {.name = "topics",
          .head = mtl::nn::LinearHead(4, 3),
          .loss = torch::nn::MultiLabelSoftMarginLoss()}});
  };
  auto a = make(), b = make();
  a->eval();
  b->eval();
  const auto x = torch::randn({5, 3});
  const auto of_a = a->forward({{"x", x}})["click"], of_b = b->forward({{"x", x}})["click"];
  mtl::save_bundle(a, folder / "a");
  const auto answers = mtl::Predictor(folder / "a").predict({{"x", x}});
  REQUIRE(answers["click"].kind == mtl::AnswerKind::scores);
  CHECK(answers["click"].probabilities.allclose(of_a.squeeze(1).to(torch::kDouble)));
  CHECK(answers["topics"].kind == mtl::AnswerKind::scores);

  mtl::Ensemble together({a.ptr(), b.ptr()});
  together->eval();
  const auto mean = (of_a + of_b) / 2;
  CHECK(together->forward({{"x", x}})["click"].allclose(mean));
  mtl::save_bundle(together, folder / "both");
  const auto both = mtl::Predictor(folder / "both").predict({{"x", x}});
  CHECK(both["click"].probabilities.allclose(mean.squeeze(1).to(torch::kDouble)));
}

TEST_CASE("bundle: double precision stays") {
  const TemporaryFolder folder;
  mtl::HardSharing model(torch::nn::Sequential(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4)),
                         two_tasks(4));
  model->to(torch::kDouble);
  model->eval();
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) parameter.mul_(1e30 / 3);
  }
  mtl::save_bundle(model, folder / "b");
  const auto x = torch::randn({4, 3}, torch::kDouble);
  const auto answers = mtl::Predictor(folder / "b").predict({{"x", x}});
  CHECK(answers["a"].values.equal(model->forward({{"x", x}})["a"].squeeze(1)));
}

TEST_CASE("bundle: two notes of one input, no model, and files of others are errors") {
  const TemporaryFolder folder;
  const Houses houses;
  auto notes = houses.notes();
  notes.inputs.push_back(notes.inputs[0]);
  CHECK(contains(error_text([&] { mtl::save_bundle(*houses.model, folder / "b", notes); }),
                 "two notes of input \"x\""));
  CHECK_FALSE(fs::exists(folder / "b"));
  houses.save(folder / "b");
  CHECK(contains(error_text([&] { mtl::load_bundle(folder / "b", std::shared_ptr<mtl::Model>()); }),
                 "the model to load into is empty"));
  CHECK(contains(error_text([&] { houses.save(""); }), "an empty path"));
  std::ofstream(folder / "b" / "readme.txt") << "mine";
  CHECK(contains(error_text([&] { houses.save(folder / "b"); }), "has \"readme.txt\" beside it"));
  CHECK(entries(folder / "b") == 3);
}

TEST_CASE("AnswerText: a number of ten digits keeps its last, one of a network stays short") {
  mtl::Answers answers;
  mtl::Answer& answer = answers.by_task.emplace_back();
  answer.task = "at";
  answer.kind = mtl::AnswerKind::values;
  answer.values = torch::tensor({1764316799.25, static_cast<double>(0.1F)}, torch::kFloat64);
  CHECK(mtl::AnswerText(mtl::AnswerText::Format::csv, false).lines(answers) ==
        "1764316799.25\n0.100000001\n");
}

TEST_CASE("AnswerText: no answer in the only column is no blank line") {
  const mtl::Answers answers{{{.task = "y",
                               .kind = mtl::AnswerKind::values,
                               .values = torch::tensor({1.5, std::nan("")}, torch::kDouble),
                               .probabilities = {},
                               .labels = {},
                               .unit = {}}}};
  CHECK(mtl::AnswerText(mtl::AnswerText::Format::csv, false).lines(answers) == "1.5\n\"\"\n");
  const mtl::AnswerText kept(mtl::AnswerText::Format::csv, false, {"id"});
  CHECK(kept.lines(answers, {{""}, {""}}) == ",1.5\n,\n");
}

TEST_CASE("bundle: a link that is written to stays one, and the folder behind it is new") {
  const TemporaryFolder folder;
  const Houses first, second;
  fs::create_directories(folder / "deep" / "models");
  first.save(folder / "deep" / "models" / "houses");
  fs::create_directory_symlink(folder / "deep" / "models" / "houses", folder / "current");
  fs::create_directory_symlink(folder / "deep" / "models", folder / "models");
  second.save(folder / "current");
  CHECK(fs::is_symlink(folder / "current"));
  const auto weight = [&](const fs::path& path) {
    return mtl::load_bundle(path).model->parameters()[0];
  };
  CHECK(weight(folder / "deep" / "models" / "houses").equal(second.model->parameters()[0]));
  // ".." is the folder above the one that a link leads to.
  first.save(folder / "models" / ".." / "old");
  CHECK(weight(folder / "deep" / "old").equal(first.model->parameters()[0]));
}

TEST_CASE("bundle: a model that somebody is training answers in evaluation mode") {
  const TemporaryFolder folder;
  mtl::HardSharing model(torch::nn::Sequential(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4),
                                               torch::nn::Dropout(0.5)),
                         two_tasks(4));
  mtl::save_bundle(model, folder / "b");
  const auto x = torch::randn({6, 3});
  const auto expected = mtl::Predictor(folder / "b").predict({{"x", x}})["a"].values;
  mtl::Predictor predictor(mtl::load_bundle(folder / "b", model.ptr()));
  model->train();
  CHECK(predictor.predict({{"x", x}})["a"].values.equal(expected));
  CHECK(model->is_training());
  CHECK(model->encoder().module()->is_training());
  CHECK(predictor.predict({{"x", x}})["a"].values.equal(expected));
}

TEST_CASE("bundle: the spreads of a GaussianNll are scaled as spreads, also in the next bundle") {
  torch::manual_seed(2);
  const TemporaryFolder folder;
  const auto targets = torch::randn({40, 2}, torch::kDouble) * 50 + 300;
  mtl::HardSharing model(
      gelu_layer(3, 4),
      {{.name = "price", .head = mtl::nn::LinearHead(4, 2), .loss = mtl::GaussianNll{}},
       {.name = "sizes", .head = mtl::nn::LinearHead(4, 4), .loss = mtl::GaussianNll{}}});
  const mtl::StandardScaler price(targets.select(1, 0));
  const mtl::MinMaxScaler sizes(targets);
  mtl::save_bundle(
      model, folder / "one",
      {.tasks = {{.task = "price", .scaler = price}, {.task = "sizes", .scaler = sizes}}});
  auto loaded = mtl::load_bundle(folder / "one");
  mtl::save_bundle(*loaded.model, folder / "two", loaded.notes);
  model->eval();
  const auto x = torch::randn({5, 3});
  const auto raw = model->forward({{"x", x}});
  const auto p = raw["price"].to(torch::kDouble), s = raw["sizes"].to(torch::kDouble);
  const auto deviation = price.scale(), width = sizes.scale();
  for (const char* name : {"one", "two"}) {
    const auto answers = mtl::Predictor(folder / name).predict({{"x", x}});
    const auto& of_price = answers["price"].values;
    const auto& of_sizes = answers["sizes"].values;
    REQUIRE(of_price.sizes() == p.sizes());
    REQUIRE(of_sizes.sizes() == s.sizes());
    CHECK(of_price.select(1, 0).allclose(p.select(1, 0) * deviation + price.mean()));
    CHECK((of_price.select(1, 1) / 2).exp().allclose((p.select(1, 1) / 2).exp() * deviation));
    CHECK(of_sizes.narrow(1, 0, 2).allclose(s.narrow(1, 0, 2) * width + sizes.minimum()));
    CHECK((of_sizes.narrow(1, 2, 2) / 2).exp().allclose((s.narrow(1, 2, 2) / 2).exp() * width));
  }
}

TEST_CASE(
    "bundle: maps [N, H, W] of Dice are asked for, those of one row or four dimensions are not") {
  torch::manual_seed(3);
  const TemporaryFolder folder;
  const auto make = [] {
    return mtl::HardSharing(
        gelu_layer(3, 4),
        {{.name = "map", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::SoftIou{}}});
  };
  auto model = make(), other = make();
  model->eval();
  const auto x = torch::randn({2, 5, 3});
  const auto raw = model->forward({{"x", x}})["map"].to(torch::kDouble);
  mtl::save_bundle(model, folder / "unsaid");
  mtl::Predictor unsaid(folder / "unsaid");
  CHECK(contains(error_text([&] {
                   unsaid.predict({{"x", x}});
                 }),
                 "task \"map\": its outputs [2, 5, 3] are maps of one class or steps"));
  CHECK(unsaid.predict({{"x", x[0]}})["map"].kind == mtl::AnswerKind::scores);
  CHECK(unsaid.predict({{"x", x.unsqueeze(1)}})["map"].kind == mtl::AnswerKind::scores);
  CHECK(unsaid.predict({{"x", torch::randn({2, 5, 4, 3})}})["map"].kind ==
        mtl::AnswerKind::classes);

  mtl::save_bundle(model, folder / "scores",
                   {.tasks = {{.task = "map", .answer = mtl::AnswerKind::scores}}});
  const auto scores = mtl::Predictor(folder / "scores").predict({{"x", x}});
  CHECK(scores["map"].probabilities.allclose(raw.sigmoid()));
  mtl::save_bundle(model, folder / "steps",
                   {.tasks = {{.task = "map", .labels = {"a", "b", "c", "d", "e"}}}});
  const auto steps = mtl::Predictor(folder / "steps").predict({{"x", x}});
  CHECK(steps["map"].values.equal(raw.argmax(1)));

  mtl::save_bundle(mtl::Ensemble({model.ptr(), other.ptr()}), folder / "both");
  CHECK(contains(error_text([&] {
                   mtl::Predictor(folder / "both").predict({{"x", x}});
                 }),
                 "are maps of one class or steps"));
}
