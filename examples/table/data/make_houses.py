"""Writes houses.csv: 600 invented houses whose price, sale and style are to be told from the rest.

    python3 make_houses.py > houses.csv

Price (thousands) and sale depend on the same hidden worth, which is why learning them together can
help. A part of the cells is missing, and most labels of the sale.
"""
import datetime
import random

random.seed(7)
towns = {"Aspen": 1.3, "Birch": 1.0, "Cedar": 0.8, "Elm": 1.1, "Oak": 0.9}
heatings = {"gas": 0.0, "oil": -0.1, "pump": 0.15}
print("id,area,rooms,town,heating,built,listed,distance,weight,price,sold,style")
for i in range(600):
    area = random.lognormvariate(4.7, 0.4)
    rooms = max(1, round(area / 28 + random.gauss(0, 0.8)))
    town = random.choice(list(towns))
    heating = random.choice(list(heatings))
    built = random.randint(1900, 2020)
    listed = datetime.date(2022, 1, 1) + datetime.timedelta(days=random.randrange(900))
    distance = random.expovariate(1 / 6)
    worth = (2.2 * area * towns[town] * (1 + heatings[heating]) * (1 + (built - 1960) / 300)
             - 4 * distance + 10 * (listed.month in (4, 5, 6)))
    price = worth * random.lognormvariate(0, 0.12)
    sold = "yes" if worth * random.lognormvariate(0, 0.15) > 215 - 3 * distance else "no"
    style = ("modern" if built > 1985 else "villa" if area > 130 else "cottage")
    if random.random() < 0.1:
        style = random.choice(["modern", "villa", "cottage"])
    cells = [f"h{i:03}", f"{area:.1f}", rooms, town, heating, built, listed.isoformat(),
             f"{distance:.1f}", random.choice([1, 1, 2]), f"{price:.1f}", sold, style]
    for column, share in ((1, .05), (3, .05), (4, .1), (6, .05), (7, .1), (10, .6), (11, .1)):
        if random.random() < share:
            cells[column] = ""
    print(",".join(str(cell) for cell in cells))
