"""Public tables, each read and prepared by hand with pandas and scikit-learn, as a careful user would.

For each file: how pandas reads it, what is to be predicted, which columns are numbers and which are categories, what
becomes of dates, and what is left out: identifiers, names, constants, and columns that are not known beforehand.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Column = str | int


@dataclass(frozen=True)
class ByHand:
    """A table as its careful user prepares it.

    Attributes
    ----------
    read : callable
        From the path to a data frame, with the dates expanded.
    target : str or int
        The column to predict.
    is_class : bool
        Whether the target is a class.
    categories : str
        Names of the columns of categories, separated by commas; ``"*"`` for all columns.
    left_out : str
        Columns left out, separated by commas: identifiers, names, constants.
    answers : str
        Columns left out for this target, because they hold the answer.
    null : str
        A number that stands for a missing value.
    """

    read: Callable[[Path], Any]
    target: Column
    is_class: bool
    categories: str = ""
    left_out: str = ""
    answers: str = ""
    null: str = ""

    @property
    def told(self) -> list[str]:
        """The columns that anybody must be told to leave out."""
        return _names(self.answers)

    def frame(self, path: Path) -> Any:
        """The rows whose target is known, with names as texts."""
        frame = self.read(path)
        frame.columns = [str(name) for name in frame.columns]
        frame = frame[frame[str(self.target)].notna()].reset_index(drop=True)
        for name in self.columns(frame)[1]:
            frame[name] = frame[name].map(str, na_action="ignore").astype(object)
        return frame

    def columns(self, frame: Any) -> tuple[list[str], list[str]]:
        """The names of numbers and categories."""
        out = {str(self.target), *_names(self.left_out), *_names(self.answers)}
        inputs = [name for name in frame.columns if name not in out]
        categories = inputs if self.categories == "*" else _names(self.categories)
        return [name for name in inputs if name not in categories], categories

    def pipeline(self, frame: Any, seed: int) -> Any:
        """scikit-learn's network with its defaults, after the preparation, trained until it converges."""
        from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
        from sklearn.impute import SimpleImputer
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        numbers, categories = self.columns(frame)
        scaled = make_pipeline(SimpleImputer(), StandardScaler())
        filled = SimpleImputer(strategy="constant", fill_value="missing")
        one_hot = make_pipeline(filled, OneHotEncoder(handle_unknown="ignore"))
        prepare = ColumnTransformer([("numbers", scaled, numbers), ("categories", one_hot, categories)])
        if self.is_class:
            return make_pipeline(prepare, MLPClassifier(random_state=seed, max_iter=1000))
        network = TransformedTargetRegressor(
            MLPRegressor(random_state=seed, max_iter=1000), transformer=StandardScaler()
        )
        return make_pipeline(prepare, network)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name]


def _csv(**options: Any) -> Callable[[Path], Any]:
    """A reader with these options of ``pandas.read_csv``."""

    def read(path: Path) -> Any:
        import pandas

        return pandas.read_csv(path, **options)

    return read


def _air(path: Path) -> Any:
    """Codes of -200 are missing; the date becomes month and weekday, the time an hour."""
    frame = _csv(na_values=[-200])(path)
    date = _dates(frame.pop("Date"), "%d/%m/%Y")
    return frame.assign(month=date.dt.month, weekday=date.dt.weekday, hour=frame.pop("Time").str.split(":").str[0])


def _weather(path: Path) -> Any:
    """The date becomes year and month."""
    frame = _csv()(path)
    date = _dates(frame.pop("date"), "%Y-%m-%d")
    return frame.assign(year=date.dt.year, month=date.dt.month)


def _taxis(path: Path) -> Any:
    """The times become weekday, hour and minutes of the ride."""
    frame = _csv()(path)
    start, end = (_dates(frame.pop(name), "%Y-%m-%d %H:%M:%S") for name in ("pickup", "dropoff"))
    minutes = (end - start).dt.total_seconds() / 60
    return frame.assign(weekday=start.dt.weekday, hour=start.dt.hour, minutes=minutes)


def _cars(path: Path) -> Any:
    import pandas

    frame = pandas.read_json(path)
    return frame.assign(Year=_dates(frame["Year"], "%Y-%m-%d").dt.year)


def _excel(path: Path) -> Any:
    import pandas

    return pandas.read_excel(path, engine="openpyxl")


def _telco(path: Path) -> Any:
    """Total charges are a blank for new customers."""
    return _csv(na_values=[" "])(path)


def _student(path: Path) -> Any:
    """Every row is quoted as a whole: unquoted once, it is a row of the table, whose texts are quoted again."""
    import pandas

    with path.open(newline="") as file:
        lines = [";".join(line) for line in csv.reader(file, delimiter=";")]
    return pandas.read_csv(io.StringIO("\n".join(lines)), sep=";")


def _dates(column: Any, form: str) -> Any:
    import pandas

    return pandas.to_datetime(column, format=form)


_SCHOOL = (
    "school, sex, address, famsize, Pstatus, Mjob, Fjob, reason, guardian, schoolsup, famsup, paid, activities, "
    "nursery, higher, internet, romantic"
)
_CHURN = (
    "gender, SeniorCitizen, Partner, Dependents, PhoneService, MultipleLines, InternetService, OnlineSecurity, "
    "OnlineBackup, DeviceProtection, TechSupport, StreamingTV, StreamingMovies, Contract, PaperlessBilling, "
    "PaymentMethod"
)
_CREDIT = (
    "status, credit_history, purpose, savings, employment_duration, personal_status_sex, other_debtors, property, "
    "other_installment_plans, housing, job, telephone, foreign_worker"
)
_HOUSE = (
    "MSSubClass, MSZoning, Street, Alley, LotShape, LandContour, Utilities, LotConfig, LandSlope, Neighborhood, "
    "Condition1, Condition2, BldgType, HouseStyle, RoofStyle, RoofMatl, Exterior1st, Exterior2nd, MasVnrType, "
    "ExterQual, ExterCond, Foundation, BsmtQual, BsmtCond, BsmtExposure, BsmtFinType1, BsmtFinType2, Heating, "
    "HeatingQC, CentralAir, Electrical, KitchenQual, Functional, FireplaceQu, GarageType, GarageFinish, GarageQual, "
    "GarageCond, PavedDrive, PoolQC, Fence, MiscFeature, SaleType, SaleCondition"
)
_MILES = ByHand(_csv(sep=r"\s+", na_values=["?"]), "mpg", False, "origin", "car_name")

TABLES = {
    "AirQualityUCI.csv": ByHand(_air, "CO_GT", False, "month,weekday,hour", "NMHC_GT", null="-200"),
    "ENB2012_data.xlsx": ByHand(_excel, "Y1", False, "X6,X8", answers="Y2"),
    "Soybean.csv": ByHand(_csv(), "Class", True, "*"),
    "Zoo.csv": ByHand(_csv(), "type", True),
    "airfoil_self_noise.dat": ByHand(_csv(sep="\t"), "TARGET", False),
    "auto-mpg.data": _MILES,
    "auto-mpg_orig.data": _MILES,
    "bike_train.csv": ByHand(_csv(), "cnt", False, "season,mnth,hr,weekday,weathersit", "instant,dteday"),
    "breast_cancer.csv": ByHand(_csv(index_col=False), "diagnosis", True, left_out="id,Unnamed: 32"),
    "framingham.csv": ByHand(_csv(), "TenYearCHD", True),
    "house_train.csv": ByHand(_csv(), "SalePrice", False, _HOUSE, "Id"),
    "insurance.csv": ByHand(_csv(), "charges", False, "sex,smoker,region"),
    "j_abalone.csv": ByHand(_csv(header=None), 8, False, "0"),
    "j_glass.data": ByHand(_csv(header=None), 10, True, left_out="0"),
    "j_horse-colic.csv": ByHand(
        _csv(header=None, na_values=["?"]), 27, True, "0,1,6,7,8,9,10,11,12,13,14,16,17,20,22,23,24", "2,25,26"
    ),
    "j_housing.data": ByHand(_csv(header=None, sep=r"\s+"), 13, False),
    "mushrooms.csv": ByHand(_csv(), "type", True, "*", "veil_type"),
    "orange_heart_disease.tab": ByHand(
        _csv(sep="\t", skiprows=[1, 2], na_values=["?"]), "diameter narrowing", True,
        "gender,chest pain,rest ECG,slope peak exc ST,thal",
    ),
    "s_GermanCredit.csv": ByHand(_csv(), "credit_risk", True, _CREDIT),
    "s_Life_Expectancy_Data.csv": ByHand(_csv(), "Life expectancy ", False, "Country,Status"),
    "sb_penguins.csv": ByHand(_csv(), "species", True, "island,sex"),
    "sb_taxis.csv": ByHand(
        _taxis, "fare", False, "weekday,hour,color,payment,pickup_zone,dropoff_zone,pickup_borough,dropoff_borough"
    ),
    "sb_tips.csv": ByHand(_csv(), "tip", False, "sex,smoker,day,time"),
    "seeds_dataset.txt": ByHand(_csv(header=None, sep=r"\s+"), 7, True),
    "student-mat.csv": ByHand(_student, "G3", False, _SCHOOL),
    "telco.csv": ByHand(_telco, "Churn", True, _CHURN, "customerID"),
    "titanic.csv": ByHand(_csv(), "Survived", True, "Pclass,Sex,Embarked", "PassengerId,Name,Ticket,Cabin"),
    "vega_cars.json": ByHand(_cars, "Miles_per_Gallon", False, "Origin", "Name"),
    "vega_seattle-weather.csv": ByHand(_weather, "weather", True, "month"),
}  # fmt: skip
