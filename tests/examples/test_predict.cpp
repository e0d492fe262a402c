#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "catch.hpp"
#include "csv_blocks.hpp"
#include "error_text.hpp"
#include "mtl/deploy/table_notes.hpp"
#include "mtl/io/json.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/task/tasks.hpp"
#include "predict_table.hpp"
#include "temporary_folder.hpp"
#ifdef MTL_HAS_IMAGES
#include <png.h>

#include "predict_pictures.hpp"
#endif

namespace {

/// price = 1000 (area + 10 rooms) EUR; the kind is a house from an area of 100 on, up to rounding.
mtl::Predictor house_predictor(const std::filesystem::path& folder) {
  mtl::HardSharing model(
      torch::nn::Identity(),
      {{.name = "price", .head = mtl::nn::LinearHead(2, 1), .loss = mtl::MeanSquaredError{}},
       {.name = "kind", .head = mtl::nn::LinearHead(2, 2), .loss = mtl::CrossEntropy{}}});
  mtl::nn::load_weights(*model, {{"heads.price.weight", torch::tensor({{10.0F, 1.0F}})},
                                 {"heads.price.bias", torch::zeros({1})},
                                 {"heads.kind.weight", torch::tensor({{0.0F, 0.0F}, {0.0F, 1.0F}})},
                                 {"heads.kind.bias", torch::tensor({0.0F, -99.5F})}});
  const mtl::MinMaxScaler thousands(torch::tensor({0.0, 1000.0}, torch::kDouble));
  mtl::save_bundle(model, folder,
                   {.inputs = {{"x", {"rooms", "area"}}},
                    .tasks = {{.task = "price", .unit = "EUR", .scaler = thousands},
                              {.task = "kind", .labels = {"flat, or so", "house"}}}});
  return mtl::Predictor(folder);
}

std::string predicted(const std::string& table, const PredictOptions& options = {}) {
  const TemporaryFolder folder;
  auto predictor = house_predictor(folder / "houses");
  std::ofstream(folder / "t.csv") << table;
  std::string text;
  predict_table(predictor, folder / "t.csv", options, [&](std::string_view t) { text += t; });
  return text;
}

}  // namespace

TEST_CASE("predict: CSV to CSV, columns by name, what is missing stays missing") {
  CHECK(predicted("id,area,rooms\n1,80,3\n2,120,4\n3,,4\n") ==
        "price,kind\n110000,\"flat, or so\"\n160000,house\n,\n");
}

TEST_CASE("predict: columns are handed through, probabilities given, lines may end in any way") {
  CHECK(predicted("\xef\xbb\xbfid;area;rooms\r\n\"a;b\";99.5;0\r\n",
                  {.probabilities = true, .separator = ';', .keep = {"id"}}) ==
        "id,price,kind,\"kind.flat, or so\",kind.house\na;b,99500,\"flat, or so\",0.5,0.5\n");
}

TEST_CASE("predict: JSON lines") {
  const auto text = predicted("rooms,area\n3,80\n3,\n", {.format = mtl::AnswerText::Format::json});
  const auto end = text.find('\n');
  CHECK(mtl::io::parse_json(text.substr(0, end)) ==
        mtl::io::Json({{"price", 110000}, {"kind", "flat, or so"}}));
  CHECK(mtl::io::parse_json(text.substr(end)) ==
        mtl::io::Json({{"price", nullptr}, {"kind", nullptr}}));
}

TEST_CASE("predict: any number of rows in any batches gives the same lines") {
  std::string table = "rooms,area\n";
  for (int i = 0; i < 1000; ++i) table += std::to_string(i % 7) + "," + std::to_string(i) + "\n";
  const auto expected = predicted(table);
  CHECK(std::count(expected.begin(), expected.end(), '\n') == 1001);
  for (const int64_t batch : {1, 7, 1000, 5000})
    CHECK(predicted(table, {.batch = batch}) == expected);
}

TEST_CASE("predict: of a bundle that encodes a table, with its dates, texts and missing cells") {
  const auto table = mtl::Table::parse("town,listed\nOak,2024-01-31\nElm,2024-02-29\n", "t.csv");
  auto tasks = mtl::parse_target_columns({"kind:binary"});
  mtl::read_targets(mtl::Table::parse("kind\nflat\nhouse\n", "k.csv"), tasks);
  const mtl::TableEncoder encoder(mtl::read_columns(table, {"town", "listed"}));
  torch::manual_seed(1);
  mtl::HardSharing model(torch::nn::Identity(), {{.name = "kind",
                                                  .head = mtl::nn::LinearHead(encoder.size(), 2),
                                                  .loss = mtl::CrossEntropy{}}});
  const TemporaryFolder folder;
  mtl::save_bundle(model, folder / "b", mtl::table_notes(encoder, tasks));
  mtl::Predictor predictor(folder / "b");
  const std::string rows = "id,listed,town\n1,2024-03-01,Elm\n2,,\"Rome, IT\"\n3,,\n";
  std::ofstream(folder / "t.csv") << rows;
  const auto found = [&](int64_t batch, bool probabilities = false) {
    std::string text;
    predict_table(predictor, folder / "t.csv",
                  {.batch = batch, .probabilities = probabilities, .keep = {"id"}},
                  [&](std::string_view t) { text += t; });
    return text;
  };
  const mtl::AnswerText text(mtl::AnswerText::Format::csv, true, {"id"});
  const auto answers = predictor.predict(mtl::Table::parse(rows, "t.csv"));
  CHECK(found(256, true) == text.header(answers) + text.lines(answers, {{"1"}, {"2"}, {"3"}}));
  CHECK(found(1) == found(256));  // the classes: probabilities depend on the batch by rounding
  std::ofstream(folder / "t.csv") << "town,listed\nElm,2024-03-01\nElm,soon\n";
  CHECK(contains(error_text([&] { found(1); }), "there is no column \"id\""));
  std::ofstream(folder / "t.csv") << "id,town,listed\n1,Elm,2024-03-01\n2,Elm,soon\n";
  CHECK(contains(error_text([&] { found(1); }), "in the table of its rows 2 to 2, line 1"));
}

TEST_CASE("predict: a row whose only column that is read is empty has an answer") {
  const auto table = mtl::Table::parse("town\nOak\nElm\n\"\"\n", "t.csv");
  CHECK(table.rows() == 3);
  const mtl::TableEncoder encoder(mtl::read_columns(table, {"town"}));
  mtl::HardSharing model(torch::nn::Identity(), {{.name = "size",
                                                  .head = mtl::nn::LinearHead(encoder.size(), 1),
                                                  .loss = mtl::MeanSquaredError{}}});
  const TemporaryFolder folder;
  mtl::save_bundle(model, folder / "b", {.inputs = {{.name = "row", .table = encoder}}});
  mtl::Predictor predictor(folder / "b");
  std::ofstream(folder / "t.csv") << "id,town\n1,Elm\n2,\n3,Oak\n";
  std::string text;
  predict_table(predictor, folder / "t.csv", {.keep = {"id"}},
                [&](std::string_view t) { text += t; });
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("predict: what is wrong with a table is said, with its line") {
  const auto fault = [](const std::string& table, const PredictOptions& options = {}) {
    return error_text([&] { predicted(table, options); });
  };
  CHECK(contains(fault("rooms,size\n1,2\n"), "no column \"area\""));
  CHECK(contains(fault("rooms,area\n1,2\n", {.keep = {"id"}}), "no column \"id\""));
  CHECK(contains(fault("rooms,area\n1,2\n3,many\n"), "line 3, column 2: \"many\" is not a number"));
  CHECK(contains(fault("rooms,area\n1,2\n3\n"), "line 3"));
  CHECK(contains(fault(""), "no line of column names"));
  CHECK(contains(fault("rooms,area\n1,\"2\n"), "quote"));
  CHECK(contains(fault("rooms,area\n1,2\n", {.batch = 0}), "batch"));
}

TEST_CASE("predict: who cannot write stops the program") {
  const TemporaryFolder folder;
  auto predictor = house_predictor(folder / "houses");
  std::ofstream(folder / "t.csv")
      << "rooms,area\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n";
  CHECK(contains(error_text([&] {
                   predict_table(predictor, folder / "t.csv", {.batch = 1},
                                 [](std::string_view) { throw mtl::Error("the disk is full"); });
                 }),
                 "the disk is full"));
}

TEST_CASE("predict: a file is read in blocks of whole rows, quoted line ends and all") {
  const TemporaryFolder folder;
  std::string table;
  for (int i = 0; i < 60000; ++i) table += "\"a\n\"\"b\"," + std::to_string(i) + "\n";
  std::ofstream(folder / "t.csv") << table << "last";
  CsvBlocks blocks(folder / "t.csv");
  std::string all;
  int64_t count = 0;
  for (std::string block; blocks.next(block); ++count) {
    CHECK((block.ends_with("\n") || block == "last" || block.ends_with("\nlast")));
    CHECK((block.starts_with("\"a") || block == "last"));
    CHECK(block.size() < 600000);
    all += block;
  }
  CHECK(all == table + "last");
  CHECK(count > 1);
}

#ifdef MTL_HAS_IMAGES

namespace {

/// Three pictures, red, green and blue, of which the network gives the mean red and which
/// colour is the strongest; one file among them that is no picture.
struct Squares {
  TemporaryFolder folder;

  Squares() {
    std::filesystem::create_directories(folder / "pictures" / "below");
    for (size_t colour = 0; colour < 3; ++colour) {
      std::vector<uint8_t> pixels(size_t{3} * 40 * 20);
      for (size_t i = colour; i < pixels.size(); i += 3) pixels[i] = 255;
      png_image image{};
      image.version = PNG_IMAGE_VERSION;
      image.width = 40;
      image.height = 20;
      image.format = PNG_FORMAT_RGB;
      REQUIRE(png_image_write_to_file(&image, file(colour).c_str(), 0, pixels.data(), 0, nullptr));
    }
    std::ofstream(folder / "pictures" / "b.jpg") << "no picture";
    std::ofstream(folder / "pictures" / "notes.txt") << "not looked at";
    mtl::HardSharing model(
        mtl::nn::CnnEncoder({.channels = {3},
                             .blocks = 1,
                             .kernel_size = 1,
                             .stride = 1,
                             .norm = mtl::nn::ConvolutionNorm::none}),
        {{.name = "red", .head = mtl::nn::LinearHead(3, 1), .loss = mtl::MeanSquaredError{}},
         {.name = "colour", .head = mtl::nn::LinearHead(3, 3), .loss = mtl::CrossEntropy{}},
         {.name = "is", .head = mtl::nn::LinearHead(3, 3), .loss = mtl::BinaryCrossEntropy{}}});
    const auto one = torch::eye(3), none = torch::zeros({3});
    mtl::nn::load_weights(*model,
                          {{"encoder.stages.0.0.convolution.weight", one.view({3, 3, 1, 1})},
                           {"encoder.stages.0.0.convolution.bias", none},
                           {"heads.red.weight", one.narrow(0, 0, 1)},
                           {"heads.red.bias", torch::zeros({1})},
                           {"heads.colour.weight", 50 * one},
                           {"heads.colour.bias", none},
                           {"heads.is.weight", 200 * one},
                           {"heads.is.bias", torch::full({3}, -100.0)}});
    const std::vector<std::string> names = {"red", "green", "blue"};
    mtl::save_bundle(
        model, folder / "bundle",
        {.inputs = {{.name = "image",
                     .pictures =
                         mtl::images::Preparation{
                             .width = 10, .height = 10, .normalize = {{0, 0, 0}, {0.5, 1, 1}}}}},
         .tasks = {{.task = "colour", .labels = names}, {.task = "is", .labels = names}}});
  }
  std::filesystem::path file(size_t colour) const {
    return colour == 2 ? folder / "pictures" / "below" / "blue.PNG"
                       : folder / "pictures" / (colour == 0 ? "red.png" : "a.png");
  }
  std::string path(const char* name) const { return (folder / "pictures" / name).string(); }
};

}  // namespace

TEST_CASE("predict: pictures in folders, prepared as the bundle says, in any batches") {
  const Squares squares;
  mtl::Predictor predictor(squares.folder / "bundle");
  REQUIRE(takes_pictures(predictor));
  const auto files = picture_files({squares.folder / "pictures"});
  const auto expected = "file,red,colour,is.red,is.green,is.blue\n" + squares.path("a.png") +
                        ",0,green,0,1,0\n" + squares.path("b.jpg") + ",,,,,\n" +
                        squares.path("below/blue.PNG") + ",0,blue,0,0,1\n" +
                        squares.path("red.png") + ",2,red,1,0,0\n";
  for (const int64_t batch : {1, 2, 32}) {
    std::string text, complaints;
    const auto times = predict_pictures(
        predictor, files, {.batch = batch, .workers = 2}, [&](std::string_view t) { text += t; },
        [&](std::string_view t) { complaints += t; });
    CHECK(std::regex_replace(text, std::regex(R"(\d\.\d+e-\d+)"), "0") == expected);
    CHECK(contains(complaints, "b.jpg"));
    CHECK(times.rows == 4);
    CHECK(times.unusable == 1);
  }
}

TEST_CASE("predict: where no picture can be read, every line is empty") {
  const Squares squares;
  mtl::Predictor predictor(squares.folder / "bundle");
  std::string text;
  const auto times = predict_pictures(
      predictor, picture_files({squares.path("b.jpg"), squares.path("notes.txt")}),
      {.format = mtl::AnswerText::Format::json}, [&](std::string_view t) { text += t; },
      [](std::string_view) {});
  CHECK(times.unusable == 2);
  const auto line = mtl::io::parse_json(text.substr(0, text.find('\n')));
  CHECK(line["file"] == squares.path("b.jpg"));
  CHECK(line["colour"].is_null());
}

TEST_CASE("predict: what is no picture, and what takes none, is said") {
  const Squares squares;
  CHECK(contains(error_text([&] { picture_files({squares.path("c.png")}); }), "no such file"));
  std::filesystem::create_directory(squares.folder / "empty");
  CHECK(contains(error_text([&] { picture_files({squares.folder / "empty"}); }), "no picture"));
  auto of_tables = house_predictor(squares.folder / "houses");
  CHECK_FALSE(takes_pictures(of_tables));
  CHECK(contains(error_text([&] {
                   predict_pictures(
                       of_tables, {squares.path("a.png")}, {}, [](std::string_view) {},
                       [](std::string_view) {});
                 }),
                 "BundleNotes::Input::pictures"));
}

#endif
