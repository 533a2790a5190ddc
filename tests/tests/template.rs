//! The template is what the code says: routes, variables, permissions, queues,
//! tables, alarms. Nothing more, nothing less.

use std::{collections::BTreeSet, fs, path::Path};

use aftercart::{
    messages::Queue,
    run::{Access, Function, Need, Trigger, config::variables, metrics::Metric, secrets::Secret},
    store::Table,
};
use serde_json::{Map, Value, json};

/// The template as JSON; a tag such as `!GetAtt X.Arn` is `{"!GetAtt": "X.Arn"}`.
fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = fs::read_to_string(path).unwrap();
    plain(serde_yaml_ng::from_str(&text).unwrap())
}

fn plain(value: serde_yaml_ng::Value) -> Value {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(number) => number.as_i64().map_or_else(|| json!(number.as_f64()), Value::from),
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        Yaml::Mapping(map) => {
            let pairs =
                map.into_iter().map(|(key, value)| (key.as_str().unwrap().into(), plain(value)));
            Value::Object(pairs.collect())
        }
        Yaml::Tagged(tagged) => json!({ tagged.tag.to_string(): plain(tagged.value) }),
    }
}

fn resources(template: &Value) -> &Map<String, Value> {
    template["Resources"].as_object().unwrap()
}

fn of_type<'a>(
    template: &'a Value,
    kind: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    resources(template).iter().filter(move |(_, resource)| resource["Type"] == kind)
}

/// `order-place` and `orders` are `OrderPlace` and `Orders` in the template.
fn logical(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(word).collect()
}

fn table(table: Table) -> String {
    format!("{}Table", logical(table.name()))
}

fn queue(queue: Queue) -> String {
    format!("{}Queue", logical(queue.name()))
}

/// A domain's functions share a log group.
fn log_group(function: &Function) -> String {
    let is_of = |of: &&(&str, &[Function])| of.1.iter().any(|it| it.name == function.name);
    let domains = aftercart_infra::domains();
    format!("{}Logs", logical(domains.iter().find(is_of).unwrap().0))
}

fn dead_letters(queue: Queue) -> String {
    format!("{}DeadLetterQueue", logical(queue.name()))
}

fn secret(secret: Secret) -> String {
    format!("{secret:?}Secret")
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

/// The pairs of action and resource that a function is permitted.
fn permitted(template: &Value, function: &Function) -> BTreeSet<(String, String)> {
    let role = &resources(template)[&format!("{}Role", logical(function.name))]["Properties"];
    assert!(role.get("ManagedPolicyArns").is_none(), "{}", function.name);
    let mut pairs = BTreeSet::new();
    for policy in list(&role["Policies"]) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    let (tag, name) = resource.as_object().unwrap().iter().next().unwrap();
                    let resource = format!("{tag} {}", name.as_str().unwrap());
                    pairs.insert((action.as_str().unwrap().to_owned(), resource));
                }
            }
        }
    }
    pairs
}

/// The pairs that the function needs, by its own word.
fn needed(function: &Function) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    let mut allow = |action: &str, resource: String| {
        pairs.insert((action.to_owned(), resource));
    };
    let logs = format!("!GetAtt {}.Arn", log_group(function));
    allow("logs:CreateLogStream", logs.clone());
    allow("logs:PutLogEvents", logs);
    for need in function.needs {
        match need {
            Need::Table(of, ops) => {
                for op in *ops {
                    allow(
                        &format!("dynamodb:{}", op.name()),
                        format!("!GetAtt {}.Arn", table(*of)),
                    );
                }
            }
            Need::Index(of, index) => {
                let arn = format!("!Sub ${{{}.Arn}}/index/{}", table(*of), index.name());
                allow("dynamodb:Query", arn);
            }
            Need::Queue(to) => allow("sqs:SendMessage", format!("!GetAtt {}.Arn", queue(*to))),
            Need::Secret(of) => {
                allow("secretsmanager:GetSecretValue", format!("!Ref {}", secret(*of)));
            }
            Need::Setting(_) | Need::Outgoing => {}
        }
    }
    match function.trigger {
        Trigger::Queue(from) => {
            for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
                allow(action, format!("!GetAtt {}.Arn", queue(from)));
            }
            allow("sqs:SendMessage", format!("!GetAtt {}.Arn", dead_letters(from)));
        }
        Trigger::Stream(tables) => {
            for action in ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"] {
                for of in tables {
                    let arn = format!("!GetAtt {}.StreamArn", table(*of));
                    allow(&format!("dynamodb:{action}"), arn);
                }
            }
            allow("sqs:SendMessage", "!GetAtt RelayDeadLetterQueue.Arn".to_owned());
        }
        Trigger::Http(_) | Trigger::Schedule(_) => {}
    }
    pairs
}

fn properties<'a>(template: &'a Value, function: &Function) -> &'a Value {
    &resources(template)[&logical(function.name)]["Properties"]
}

fn events<'a>(template: &'a Value, function: &Function) -> Vec<&'a Value> {
    properties(template, function)["Events"].as_object().unwrap().values().collect()
}

#[test]
fn every_function_is_in_the_template_and_nothing_else() {
    let template = template();
    let deployed: BTreeSet<String> =
        of_type(&template, "AWS::Serverless::Function").map(|(name, _)| name.clone()).collect();
    let written: BTreeSet<String> =
        aftercart_infra::functions().iter().map(|function| logical(function.name)).collect();
    assert_eq!(deployed, written);
    for function in aftercart_infra::functions() {
        let code = format!("target/lambda/{}/", function.name);
        assert_eq!(properties(&template, &function)["CodeUri"], code.as_str());
    }
}

#[test]
fn a_function_may_do_what_it_needs_and_no_more() {
    let template = template();
    for function in aftercart_infra::functions() {
        assert_eq!(permitted(&template, &function), needed(&function), "{}", function.name);
    }
}

#[test]
fn a_function_has_the_variables_that_it_reads_and_no_more() {
    let template = template();
    let shared = &template["Globals"]["Function"]["Environment"]["Variables"];
    let shared: BTreeSet<&str> = shared.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(shared, BTreeSet::from(["LOG_LEVEL", "METRICS_NAMESPACE"]));
    for function in aftercart_infra::functions() {
        let set = &properties(&template, &function)["Environment"]["Variables"];
        let set: BTreeSet<&str> =
            set.as_object().map(|set| set.keys().map(String::as_str).collect()).unwrap_or_default();
        let read: BTreeSet<&str> = variables(&function).into_iter().collect();
        assert_eq!(set, read, "{}", function.name);
    }
}

#[test]
fn variables_hold_what_they_are_named_for() {
    let template = template();
    for function in aftercart_infra::functions() {
        let set = &properties(&template, &function)["Environment"]["Variables"];
        let expect = |name: &str, value: String| {
            assert_eq!(set[name]["!Ref"], value.as_str(), "{}", function.name)
        };
        for need in function.needs {
            match need {
                Need::Table(of, _) | Need::Index(of, _) => expect(of.variable(), table(*of)),
                Need::Queue(to) => expect(to.variable(), queue(*to)),
                Need::Secret(of) => expect(of.variable(), secret(*of)),
                Need::Setting(_) | Need::Outgoing => {}
            }
        }
        if let Trigger::Queue(from) = function.trigger {
            expect("DEAD_LETTER_QUEUE_URL", dead_letters(from));
        }
    }
}

#[test]
fn routes_are_those_of_the_code_with_their_authorizers() {
    let template = template();
    let definition = &template["Resources"]["Api"]["Properties"]["DefinitionBody"];
    let mut deployed = BTreeSet::new();
    for (path, operations) in definition["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let integration = &operation["x-amazon-apigateway-integration"];
            assert_eq!(integration["credentials"]["!GetAtt"], "ApiRole.Arn");
            assert_eq!(integration["payloadFormatVersion"], "2.0");
            let uri = integration["uri"]["!Sub"].as_str().unwrap();
            let invoked = uri.split("functions/${").nth(1).unwrap();
            let invoked = invoked.strip_suffix(".Arn}/invocations").unwrap();
            let security = operation["security"].to_string();
            deployed.insert((method.to_uppercase(), path.clone(), security, invoked.to_owned()));
        }
    }
    let mut written = BTreeSet::new();
    let mut invoked = BTreeSet::new();
    for function in aftercart_infra::functions() {
        let Trigger::Http(routes) = function.trigger else { continue };
        let name = logical(function.name);
        invoked.insert(format!("{name}.Arn"));
        for route in routes {
            let security = match route.access {
                Access::Shopper => json!([{ "Shoppers": [] }]),
                Access::Operator => json!([{ "Shoppers": ["aftercart/operate"] }]),
                Access::Open => Value::Null,
            };
            let (method, path) = (route.method.to_owned(), route.path.to_owned());
            written.insert((method, path, security.to_string(), name.clone()));
        }
    }
    assert_eq!(deployed, written);
    assert_eq!(may_invoke(&template, "ApiRole"), invoked);
}

/// The functions that a role may invoke.
fn may_invoke(template: &Value, role: &str) -> BTreeSet<String> {
    let policies = &resources(template)[role]["Properties"]["Policies"];
    let statements = policies[0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let mut invoking = statements.iter().filter(|it| it["Action"] == "lambda:InvokeFunction");
    let functions = list(&invoking.next().unwrap()["Resource"]);
    functions.into_iter().map(|it| it["!GetAtt"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn queues_report_single_failures_and_wait_long_enough() {
    let template = template();
    let default_s = template["Globals"]["Function"]["Timeout"].as_i64().unwrap();
    for function in aftercart_infra::functions() {
        let Trigger::Queue(from) = function.trigger else { continue };
        let event = &events(&template, &function)[0]["Properties"];
        assert_eq!(event["Queue"]["!GetAtt"], format!("{}.Arn", queue(from)));
        assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        assert!(event["BatchSize"].as_i64().unwrap() <= 10);
        assert!(event["ScalingConfig"]["MaximumConcurrency"].as_i64().unwrap() >= 2);
        let timeout_s = properties(&template, &function)["Timeout"].as_i64().unwrap_or(default_s);
        let visibility_s =
            template["Resources"][queue(from)]["Properties"]["VisibilityTimeout"].as_i64().unwrap();
        assert!(visibility_s >= 6 * timeout_s, "{}", from.name());
    }
    for each in Queue::ALL {
        let redrive = &template["Resources"][queue(each)]["Properties"]["RedrivePolicy"];
        let target = format!("{}.Arn", dead_letters(each));
        assert_eq!(redrive["deadLetterTargetArn"]["!GetAtt"], target);
        assert!(redrive["maxReceiveCount"].as_i64().unwrap() >= 3);
    }
    for (name, queue) in of_type(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
}

#[test]
fn streams_are_followed_whole_and_filtered() {
    let template = template();
    let senders: Vec<Table> = Table::ALL.into_iter().filter(|table| table.sends()).collect();
    for function in aftercart_infra::functions() {
        let Trigger::Stream(tables) = function.trigger else { continue };
        let pattern = match function.name {
            "relay" => {
                assert_eq!(tables, senders);
                r#"{"dynamodb":{"NewImage":{"sends":{"S":[{"exists":true}]}}}}"#
            }
            _ => r##"{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"LEVEL#"}]}}}}"##,
        };
        let events = events(&template, &function);
        assert_eq!(events.len(), tables.len());
        for of in tables.iter().copied() {
            let arn = format!("{}.StreamArn", table(of));
            let event = events
                .iter()
                .find(|event| event["Properties"]["Stream"]["!GetAtt"] == arn.as_str());
            let event = &event.unwrap()["Properties"];
            assert_eq!(event["StartingPosition"], "TRIM_HORIZON");
            assert_eq!(event["BisectBatchOnFunctionError"], true);
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
            assert_eq!(event["FilterCriteria"]["Filters"][0]["Pattern"], pattern);
            let parked = &event["DestinationConfig"]["OnFailure"]["Destination"]["!GetAtt"];
            assert_eq!(*parked, "RelayDeadLetterQueue.Arn");
        }
    }
}

#[test]
fn schedules_are_those_of_the_code() {
    let template = template();
    let mut invoked = BTreeSet::new();
    for function in aftercart_infra::functions() {
        let Trigger::Schedule(expression) = function.trigger else { continue };
        invoked.insert(format!("{}.Arn", logical(function.name)));
        let event = events(&template, &function)[0];
        assert_eq!(event["Type"], "ScheduleV2");
        assert_eq!(event["Properties"]["RoleArn"]["!GetAtt"], "SchedulesRole.Arn");
        assert_eq!(event["Properties"]["ScheduleExpression"], expression, "{}", function.name);
    }
    assert_eq!(may_invoke(&template, "SchedulesRole"), invoked);
}

#[test]
fn tables_are_what_the_store_expects_and_are_kept_safe() {
    let template = template();
    let deployed = of_type(&template, "AWS::DynamoDB::Table").count();
    assert_eq!(deployed, Table::ALL.len());
    for of in Table::ALL {
        let resource = &template["Resources"][table(of)];
        let made = &resource["Properties"];
        assert_eq!(made["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(made["SSESpecification"]["SSEEnabled"], true);
        assert_eq!(made["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
        assert_eq!(
            made["DeletionProtectionEnabled"],
            json!({ "!If": ["IsProtected", true, false] })
        );
        assert_eq!(
            resource["DeletionPolicy"],
            json!({ "!If": ["IsProtected", "Retain", "Delete"] })
        );
        let keys = |pk: &str, sk: &str| json!([{ "AttributeName": pk, "KeyType": "HASH" }, { "AttributeName": sk, "KeyType": "RANGE" }]);
        assert_eq!(made["KeySchema"], keys("pk", "sk"));
        let stream = made["StreamSpecification"]["StreamViewType"].as_str();
        assert_eq!(stream, of.sends().then_some("NEW_IMAGE"), "{}", of.name());
        let expiry = made["TimeToLiveSpecification"]["AttributeName"].as_str();
        assert_eq!(expiry, of.expiry(), "{}", of.name());
        let indexes: Vec<Value> = of
            .indexes()
            .iter()
            .map(|(index, pk, sk)| {
                json!({
                    "IndexName": index.name(),
                    "KeySchema": keys(pk, sk),
                    "Projection": { "ProjectionType": "KEYS_ONLY" },
                })
            })
            .collect();
        let made: Vec<Value> =
            made["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
        assert_eq!(made, indexes, "{}", of.name());
    }
}

#[test]
fn functions_run_on_arm_and_keep_their_logs_for_so_long() {
    let template = template();
    let shared = &template["Globals"]["Function"];
    assert_eq!(shared["Runtime"], "provided.al2023");
    assert_eq!(shared["Architectures"], json!(["arm64"]));
    for (name, group) in of_type(&template, "AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"]["!Ref"], "LogRetentionDays", "{name}");
    }
    for function in aftercart_infra::functions() {
        let group = log_group(&function);
        assert!(resources(&template).contains_key(&group), "{group}");
        assert_eq!(properties(&template, &function)["LoggingConfig"]["LogGroup"]["!Ref"], group);
    }
}

#[test]
fn alarms_watch_what_an_operator_must_know() {
    let template = template();
    let alarms: Vec<&Value> = of_type(&template, "AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| &alarm["Properties"])
        .collect();
    let of = |stat: &Value, metric: &str, resource: &str| {
        stat["MetricName"] == metric
            && stat["Dimensions"].to_string().contains(&format!("\"{resource}"))
    };
    let watched =
        |metric: &str, resource: &str| alarms.iter().any(|alarm| of(alarm, metric, resource));
    // Failed invocations are watched by groups: an alarm takes ten metrics.
    let failures: Vec<&Value> = alarms.iter().flat_map(|alarm| list(&alarm["Metrics"])).collect();
    let groups = alarms.iter().filter(|it| it["Metrics"].to_string().contains("SUM(METRICS())"));
    assert!(groups.clone().all(|group| list(&group["Metrics"]).len() <= 10));
    for (name, _) in
        of_type(&template, "AWS::SQS::Queue").filter(|(name, _)| name.ends_with("DeadLetterQueue"))
    {
        assert!(watched("ApproximateNumberOfMessagesVisible", name), "{name}");
    }
    for function in aftercart_infra::functions() {
        let name = format!("{}\"", logical(function.name));
        let watching =
            failures.iter().filter(|it| of(&it["MetricStat"]["Metric"], "Errors", &name));
        assert_eq!(watching.count(), 1, "{}", function.name);
        match function.trigger {
            Trigger::Queue(from) => assert!(watched("ApproximateAgeOfOldestMessage", &queue(from))),
            Trigger::Stream(_) => assert!(watched("IteratorAge", &logical(function.name))),
            Trigger::Http(_) | Trigger::Schedule(_) => {}
        }
    }
    // What is for people has no function that would show that nobody reads it.
    assert!(watched("ApproximateAgeOfOldestMessage", &queue(Queue::Notifications)));
}

#[test]
fn alarms_and_the_dashboard_name_metrics_that_are_counted() {
    let template = template();
    let counted: BTreeSet<String> =
        Metric::ALL.iter().map(|metric| format!("{metric:?}")).collect();
    for (name, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        if alarm["Properties"]["Namespace"]["!Ref"] == "MetricsNamespace" {
            let metric = alarm["Properties"]["MetricName"].as_str().unwrap();
            assert!(counted.contains(metric), "{name}: {metric}");
        }
    }
    let (_, dashboard) = of_type(&template, "AWS::CloudWatch::Dashboard").next().unwrap();
    let body = dashboard["Properties"]["DashboardBody"]["!Sub"].as_str().unwrap();
    let shown: BTreeSet<String> = body
        .split("\"${MetricsNamespace}\", \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    assert!(shown.len() > 10);
    assert!(shown.is_subset(&counted), "{:?}", shown.difference(&counted));
}

#[test]
fn no_permission_reaches_everything() {
    let template = template();
    for (name, role) in of_type(&template, "AWS::IAM::Role") {
        for policy in list(&role["Properties"]["Policies"]) {
            for statement in list(&policy["PolicyDocument"]["Statement"]) {
                let text = json!([statement["Action"], statement["Resource"]]).to_string();
                assert!(!text.contains('*'), "{name}: {text}");
            }
        }
    }
}
