#include <iconv.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "files/read_weather.hpp"
#include "temporary_folder.hpp"

namespace {

using weather::read_weather;

std::string in_cp932(std::string text) {
  std::string bytes(text.size(), '\0');
  char *in = text.data(), *out = bytes.data();
  size_t in_left = text.size(), out_left = bytes.size();
  iconv_t converter = iconv_open("CP932", "UTF-8");
  REQUIRE(iconv(converter, &in, &in_left, &out, &out_left) != static_cast<size_t>(-1));
  iconv_close(converter);
  bytes.resize(bytes.size() - out_left);
  return bytes;
}

std::string with_crlf(const std::string& text) {
  std::string result;
  for (const char sign : text) result += sign == '\n' ? std::string("\r\n") : std::string(1, sign);
  return result;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string all_replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// Files that live as long as the test.
struct Files {
  TemporaryFolder folder;
  std::vector<std::filesystem::path> paths;

  Files& add(const std::string& name, const std::string& bytes) {
    paths.push_back(folder / name);
    std::ofstream(paths.back(), std::ios::binary) << bytes;
    return *this;
  }
  weather::WeatherFiles read() const { return read_weather(paths); }
};

weather::WeatherFiles read(const std::string& bytes) { return Files().add("w.csv", bytes).read(); }

std::string error_of(const std::string& bytes) {
  return error_text([&] { read(bytes); });
}

std::vector<double> column(const mtl::Tensor& numbers, weather::Element element) {
  const mtl::Tensor values = numbers.select(1, element).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<double> observed(const weather::WeatherFiles& read, weather::Element element) {
  return column(read.days.observed, element);
}

bool warns(const weather::WeatherFiles& found, const std::string& part) {
  for (const std::string& warning : found.warnings) {
    if (contains(warning, part)) return true;
  }
  return false;
}

const std::string agency_header =
    "ダウンロードした時刻：2023/10/20 10:42:41\n"
    "\n"
    ",東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,東京,"
    "東京,東京\n"
    "年月日,平均気温(℃),平均気温(℃),平均気温(℃),平均湿度(％),平均湿度(％),平均湿度(％),"
    "平均現地気圧(hPa),平均現地気圧(hPa),平均現地気圧(hPa),"
    "日照時間(時間),日照時間(時間),日照時間(時間),日照時間(時間),"
    "降水量の合計(mm),降水量の合計(mm),降水量の合計(mm),降水量の合計(mm),"
    "天気概況(昼：06時～18時),天気概況(昼：06時～18時),天気概況(昼：06時～18時)\n"
    ",,品質情報,均質番号,,品質情報,均質番号,,品質情報,均質番号,,現象なし情報,品質情報,均質番号,"
    ",現象なし情報,品質情報,均質番号,,品質情報,均質番号\n";

std::string agency_day(const std::string& date, const std::string& temp = "15.2,8,1",
                       const std::string& rain = "61.0,0,8,1",
                       const std::string& sky = "大雨,8,1") {
  return date + "," + temp + ",92,8,1,1014.7,8,1,0.5,0,8,1," + rain + "," + sky + "\n";
}

const std::string plain_header = "year,month,day,temp,rh,atm,sunlight,precipitation,weather\n";
const std::string plain_rows =
    "2013,10,20,15.2,92,1014.7,0.0,61.0,大雨\n"
    "2013,10,21,18.4,80,1010.3,1.4,0,曇一時晴\n";

const std::filesystem::path bundled_file =
    std::filesystem::path(MTL_SOURCE_DIR) /
    "examples/weather/data/six_elements_20131020_20201019_cp932.csv";

}  // namespace

TEST_CASE("weather: the bundled file holds 2,557 days without a gap") {
  const auto found = read_weather(std::vector{bundled_file});
  CHECK(found.days.size() == 2557);
  CHECK(found.station == "東京");
  CHECK(weather::to_text(found.days.dates.front()) == "2013-10-20");
  CHECK(weather::to_text(found.days.dates.back()) == "2020-10-19");
  CHECK((found.days.dates.back() - found.days.dates.front()).count() == 2556);
  CHECK(observed(found, weather::temp).front() == 15.2);
  CHECK(observed(found, weather::precipitation)[1] == 0.0);
  CHECK(first_terms(found.days)[1] == "曇");

  std::map<std::string, int> counts;
  for (const std::string& term : first_terms(found.days)) ++counts[term];
  CHECK(counts == std::map<std::string, int>{{"曇", 896},
                                             {"晴", 862},
                                             {"雨", 276},
                                             {"快晴", 266},
                                             {"薄曇", 202},
                                             {"大雨", 44},
                                             {"雪", 5},
                                             {"みぞれ", 4},
                                             {"大雪", 2}});
  CHECK(warns(found, "rh has values of quality 4 (from too few data: 3)"));
  CHECK(warns(found,
              "line 414: the homogeneity number of temp changes here (changes in the file: 2)"));
  CHECK_FALSE(warns(found, "missing"));
  CHECK_FALSE(warns(found, "without a row"));
}

TEST_CASE("weather: raw yearly downloads with 96 columns, in any order, give the same days") {
  const auto folder = std::filesystem::path(MTL_SOURCE_DIR).parent_path() / "shared/data/jma_tokyo";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: the yearly downloads are not at hand (" << folder << ")");
    return;
  }
  std::vector<std::filesystem::path> years;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("data")) years.push_back(entry.path());
  }
  const auto whole = read_weather(std::vector{bundled_file});
  const auto joined = read_weather(years);
  CHECK((joined.days.dates == whole.days.dates));
  CHECK(joined.days.observed.equal(whole.days.observed));
  CHECK(first_terms(joined.days) == first_terms(whole.days));

  years.push_back(bundled_file);
  CHECK(warns(read_weather(years),
              "Days that stand in more than one file, with the same values: 2557"));
}

TEST_CASE("weather: first term of a description") {
  CHECK(weather::first_term("曇") == "曇");
  CHECK(weather::first_term("曇一時晴") == "曇");
  CHECK(weather::first_term("晴後一時雨、雷を伴う") == "晴");
  CHECK(weather::first_term("薄曇時々晴") == "薄曇");
  CHECK(weather::first_term("雨、みぞれを伴う") == "雨");
  CHECK(weather::first_term("大雨後時々曇") == "大雨");
}

TEST_CASE("weather: the agency's file in CP932 with CR LF, and in UTF-8 with LF, reads alike") {
  const std::string text = agency_header + agency_day("2013/10/20") + agency_day("2013/10/21");
  for (const std::string& bytes : {in_cp932(with_crlf(text)), text, "\xEF\xBB\xBF" + text}) {
    const auto found = read(bytes);
    CHECK(found.days.size() == 2);
    CHECK(first_terms(found.days) == std::vector<std::string>{"大雨", "大雨"});
    CHECK(found.warnings.empty());
  }
  // strict SHIFT_JIS has no ㎡, and some decoders write the tilde as U+301C
  const std::string other = all_replaced(text, "～", "〜");
  CHECK(read(other).days.size() == 2);
}

TEST_CASE("weather: quality and phenomenon numbers") {
  SECTION("8 and 5 are values, 4 and 2 are values with a warning, 1 and 0 are none") {
    const auto found = read(agency_header + agency_day("2013/10/20", "1,8,1") +
                            agency_day("2013/10/21", "2,5,1") + agency_day("2013/10/22", "3,4,1") +
                            agency_day("2013/10/23", "4,2,1") + agency_day("2013/10/24", "5,1,1") +
                            agency_day("2013/10/25", "6,0,1") + agency_day("2013/10/26", ",1,1"));
    const auto temp = observed(found, weather::temp);
    CHECK(std::vector(temp.begin(), temp.begin() + 4) == std::vector<double>{1, 2, 3, 4});
    for (size_t day = 4; day < 7; ++day) CHECK(std::isnan(temp[day]));
    CHECK(warns(found,
                "from line 8 on: temp has values of quality 4 (from too few data: 1) or 2 "
                "(doubtful: 1)"));
    CHECK(warns(found, "temp is missing on 3 of 7 days, first on 2013-10-24"));
  }
  SECTION("0 with flag 1: none fell; an empty cell: not known") {
    const auto found = read(agency_header + agency_day("2013/10/20", "1,8,1", "0,1,8,1") +
                            agency_day("2013/10/21", "2,8,1", "0.0,0,8,1") +
                            agency_day("2013/10/22", "3,8,1", ",,1,1"));
    CHECK(observed(found, weather::precipitation)[0] == 0.0);
    CHECK(observed(found, weather::precipitation)[1] == 0.0);
    CHECK(std::isnan(observed(found, weather::precipitation)[2]));
  }
  SECTION("a missing weather is an empty term") {
    const auto found = read(agency_header + agency_day("2013/10/20") +
                            agency_day("2013/10/21", "2,8,1", "0,1,8,1", ",1,1"));
    CHECK(first_terms(found.days)[1].empty());
  }
  SECTION("numbers that do not exist and flags that contradict their value are errors") {
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", "1,7,1")),
                   "w.csv, line 6, column 3 (平均気温(℃)): \"7\" is not a quality number"));
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", "1,,1")),
                   "line 6, column 2 (平均気温(℃)): the value \"1\" has no quality number"));
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", "1,8,1", "3.5,1,8,1")),
                   "line 6, column 16 (降水量の合計(mm)): the flag says that there was none"));
  }
}

TEST_CASE("weather: elements in any order, among others, with the date in one column or three") {
  const auto found = read(
      ",,,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,仙台,"
      "仙台,仙台\n"
      "年,月,日,天気概況(夜：18時～翌日06時),天気概況(夜：18時～翌日06時),天気概況(昼：06時～18時),"
      "天気概況(昼：06時～18時),"
      "最高気温(℃),最高気温(℃),最高気温(℃),最高気温(℃),平均気温(℃),平均気温(℃),"
      "降水量の合計(mm),降水量の合計(mm),日照時間(時間),日照時間(時間),"
      "平均現地気圧(hPa),平均現地気圧(hPa),平均湿度(％),平均湿度(％),平均海面気圧(hPa)\n"
      ",,,,,,,,,時分,時分,,,,,,,,,,,\n"
      ",,,,品質情報,,品質情報,,品質情報,,品質情報,,品質情報,,品質情報,,品質情報,,品質情報,,"
      "品質情報,\n"
      "2020,2,29,雨,8,晴後曇,8,9.5,8,13:10,8,5.5,8,0.5,8,7.1,8,1001.5,8,61,8,1013\n");
  CHECK(weather::to_text(found.days.dates.at(0)) == "2020-02-29");
  CHECK(observed(found, weather::temp) == std::vector{5.5});
  CHECK(observed(found, weather::rh) == std::vector{61.0});
  CHECK(observed(found, weather::atm) == std::vector{1001.5});
  CHECK(observed(found, weather::sunlight) == std::vector{7.1});
  CHECK(observed(found, weather::precipitation) == std::vector{0.5});
  CHECK(first_terms(found.days) == std::vector<std::string>{"晴"});
  CHECK(found.station == "仙台");
}

TEST_CASE("weather: a plain file, its columns in any order, in UTF-8 or CP932") {
  const auto found = read(plain_header + plain_rows);
  CHECK(found.days.size() == 2);
  CHECK(first_terms(found.days) == std::vector<std::string>{"大雨", "曇"});
  CHECK(found.station.empty());
  CHECK(first_terms(read(in_cp932(plain_header + plain_rows)).days) == first_terms(found.days));

  const auto other = read(
      "weather,precipitation,note,sunlight,temp,day,rh,month,atm,year\n"
      "大雨,61.0,\"a, b\",0.0,15.2,20,92,10,1014.7,2013\n"
      "曇一時晴,0,,1.4,,21,80,10.0,1010.3,2013.0\n");
  CHECK((other.days.dates == found.days.dates));
  CHECK(observed(other, weather::atm) == observed(found, weather::atm));
  CHECK(std::isnan(observed(other, weather::temp)[1]));
  CHECK(warns(other, "temp is missing on 1 of 2 days"));
}

TEST_CASE("weather: files are joined by date") {
  const std::string october = agency_header + agency_day("2013/10/20") + agency_day("2013/10/21");
  const std::string later = agency_header + agency_day("2013/10/21") + agency_day("2013/10/22");

  SECTION("in any order; days in both must agree") {
    const auto found = Files().add("b.csv", later).add("a.csv", october).read();
    CHECK(found.days.size() == 3);
    CHECK(warns(found, "Days that stand in more than one file, with the same values: 1."));

    Files differing;
    differing.add("a.csv", october);
    differing.add("b.csv", replaced(later, "15.2", "15.3"));
    CHECK(contains(error_text([&] { differing.read(); }),
                   "b.csv, line 6, column 2: temp of 2013-10-21 is 15.3, but "));
  }
  SECTION("an element may come from a file of its own") {
    const std::string no_rh =
        "year,month,day,temp,atm,sunlight,precipitation,weather\n"
        "2013,10,20,15.2,1014.7,0.0,61.0,大雨\n";
    CHECK(contains(error_of(no_rh), "there is no column rh (平均湿度)"));
    const auto found =
        Files().add("a.csv", no_rh).add("rh.csv", "year,month,day,rh\n2013,10,20,92\n").read();
    CHECK(observed(found, weather::rh) == std::vector<double>{92});
  }
  SECTION("of one station only") {
    const std::string sendai = all_replaced(later, "東京", "仙台");
    Files files;
    files.add("a.csv", october).add("b.csv", sendai);
    CHECK(contains(error_text([&] { files.read(); }), "is of 仙台, but"));
    CHECK(contains(error_of(replaced(october, "東京,東京\n", "東京,仙台\n")),
                   "line 3, column 21: the file holds 仙台 beside 東京"));
  }
}

TEST_CASE("weather: days without a row are a named warning") {
  const auto found = read(agency_header + agency_day("2013/10/20") + agency_day("2013/10/23") +
                          agency_day("2013/10/25"));
  CHECK(found.days.size() == 3);
  CHECK(warns(found,
              "Days without a row between 2013-10-20 and 2013-10-25: 3 (2013-10-21 to "
              "2013-10-22, 2013-10-24)"));
  CHECK(found.days.day_numbers().equal(torch::tensor({15998, 16001, 16003}, torch::kLong)));
}

TEST_CASE("weather: a damaged file is an error with file, line and column") {
  const std::string two = agency_header + agency_day("2013/10/20") + agency_day("2013/10/21");

  SECTION("absent, empty, or something else") {
    CHECK(contains(error_text([] { read_weather(std::vector<std::filesystem::path>{"/no/such"}); }),
                   "cannot read \"/no/such\""));
    CHECK(contains(error_of(""), "w.csv is empty"));
    CHECK(contains(error_of("\r\n\r\n"), "w.csv is empty"));
    CHECK(contains(error_of("a,b\n1,2\n"), "w.csv, line 1, column 1: neither the agency's CSV"));
    CHECK(contains(error_of(std::string("PK\0\0", 4)), "line 1, column 1: there is a NUL"));
    CHECK(contains(error_text([] { read_weather({}); }), "no file was given"));
  }
  SECTION("cut off") {
    CHECK(contains(error_of(two.substr(0, two.size() - 15)),
                   "w.csv, line 7, column 17: the line has 17 cells where the column names have "
                   "21. The file was cut off"));
    const std::string bytes = in_cp932(with_crlf(two));
    const size_t rain = bytes.rfind(in_cp932("雨"));
    CHECK(contains(error_of(bytes.substr(0, rain + 1)),
                   "the file ends in the middle of a character"));
    CHECK(contains(error_of(agency_header), "has column names but no day"));
    CHECK(contains(error_of(agency_header.substr(0, agency_header.find("\n,,品質") + 1)),
                   "no row with 品質情報 follows"));
    CHECK(warns(read(two.substr(0, two.size() - 1)), "line 7: the last line does not end"));
  }
  SECTION("out of order or repeated") {
    CHECK(
        contains(error_of(agency_header + agency_day("2013/10/21") + agency_day("2013/10/20")),
                 "w.csv, line 7, column 1 (年月日): 2013-10-20 comes after 2013-10-21 of line 6"));
    CHECK(contains(error_of(agency_header + agency_day("2013/10/21") + agency_day("2013/10/21")),
                   "w.csv, line 7, column 1 (年月日): 2013-10-21 stands in line 6 already"));
    CHECK(
        contains(error_of(plain_header + plain_rows + "2013,10,20,15.2,92,1014.7,0.0,61.0,大雨\n"),
                 "line 4, column 1 (year): 2013-10-20 comes after 2013-10-21"));
    CHECK(
        contains(error_of("year,year,day\n1,2,3\n"), "column 2: the column name \"year\" occurs"));
  }
  SECTION("dates that do not exist") {
    CHECK(contains(error_of(agency_header + agency_day("2013/02/29")),
                   "line 6, column 1 (年月日): there is no day 2013/2/29"));
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20 1:00")),
                   "\"2013/10/20 1:00\" is not a date"));
    CHECK(contains(error_of(plain_header + "2013,13,1,1,1,1000,1,1,晴\n"), "no day 2013/13/1"));
    CHECK(contains(error_of(plain_header + "2013,1.5,1,1,1,1000,1,1,晴\n"),
                   "column 2 (month): \"1.5\" is not a whole number"));
    CHECK(contains(error_of(plain_header + "1e300,1,1,1,1,1000,1,1,晴\n"),
                   "column 1 (year): \"1e300\" is not a whole number"));
    CHECK(contains(error_of(agency_header + agency_day("1e300/10/20")), "is not a date"));
  }
  SECTION("cells that are no value") {
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", "1x.2,8,1")),
                   "w.csv, line 6, column 2 (平均気温(℃)): \"1x.2\" is not a number"));
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", "152,8,1")),
                   "152 degrees Celsius is outside of what temp can be"));
    CHECK(
        contains(error_of(agency_header + agency_day("2013/10/20", "1,8,1", "0,1,8,1", "///,8,1")),
                 "\"///\" is not a weather"));
    CHECK(contains(error_of(replaced(plain_header + plain_rows, "曇一時晴", "一時晴")),
                   "line 3, column 9 (weather): \"一時晴\" does not begin with a weather"));
    CHECK(contains(error_of(replaced(plain_header + plain_rows, ",92,", ",920,")),
                   "line 2, column 5 (rh): 920 per cent is outside"));
    CHECK(contains(error_of(replaced(plain_header + plain_rows, "day,", "dy,")),
                   "w.csv, line 1: there is no column \"day\""));
    CHECK(
        contains(error_of(replaced(two, ",92,", ",\"92,")), "line 6, column 5: the quote opened"));
  }
  SECTION("characters") {
    std::string damaged = plain_header + plain_rows + "2013,10,22,18.4,80,1010.3,1.4,0,曇時々晴\n";
    const size_t at = damaged.find("曇一時");
    damaged[at + 1] = '\x20';
    CHECK(contains(error_of(damaged), "w.csv, line 3, byte 33: byte 0xE6 is not UTF-8"));
    CHECK(contains(error_of(plain_header + "2013,10,20,1,1,1000,1,1,\xFF\xFF\n"),
                   "neither UTF-8 nor CP932"));
  }
  SECTION("a column without any value") {
    CHECK(contains(error_of(agency_header + agency_day("2013/10/20", ",1,1")),
                   "temp has no value on any of the 1 days"));
  }
}

TEST_CASE("weather: missing inputs are filled from earlier days only") {
  const auto found = read(plain_header +
                          "2013,10,20,,92,1014.7,0.0,1.0,大雨\n"
                          "2013,10,21,18.4,80,,1.4,2.0,曇\n"
                          "2013,10,22,,,1010.3,1.5,,\n"
                          "2013,10,23,20,70,,1.6,4.0,晴\n");
  CHECK(found.days.size() == 3);  // temp is not known on the first day
  CHECK(column(found.days.filled, weather::temp) == std::vector<double>{18.4, 18.4, 20});
  CHECK(column(found.days.filled, weather::rh) == std::vector<double>{80, 80, 70});
  CHECK(column(found.days.filled, weather::atm) == std::vector<double>{1014.7, 1010.3, 1010.3});
  CHECK(column(found.days.filled, weather::precipitation) == std::vector<double>{2, 2, 4});
  CHECK(warns(found, "The days before 2013-10-21 are left out (1)"));
  CHECK_FALSE(warns(found, "in a row"));
  // what a model shall learn stays unknown
  CHECK(std::isnan(observed(found, weather::temp)[1]));
  CHECK(found.days.weather[1].empty());
}

TEST_CASE("weather: values that are missing for more than a week are a named warning") {
  std::string text = plain_header;
  for (int day = 1; day <= 12; ++day)
    text += fmt::format("2013,10,{},{},80,1010,1,0,曇\n", day, day < 3 || day > 11 ? "15" : "");
  CHECK(warns(read(text), "temp is missing on up to 9 days in a row"));
}
