-- segment_labels: what the segments of every scheme are called, and which is better.
-- grain: scheme, segment
-- inputs: none
-- params: none
-- source: the tables and relations that name the segments, see customer_segments; rank 1 is the
--     best
with

labels as (

    select *
    from (
        values
            ('rfm', 'champions', 1, 'Champions', '最優良顧客'),
            ('rfm', 'loyal', 2, 'Loyal', 'ロイヤル顧客'),
            ('rfm', 'potential_loyalist', 3, 'Potential loyalists', 'ロイヤル予備群'),
            ('rfm', 'new', 4, 'New', '新規顧客'),
            ('rfm', 'promising', 5, 'Promising', '有望顧客'),
            ('rfm', 'need_attention', 6, 'Need attention', '要注意顧客'),
            ('rfm', 'about_to_sleep', 7, 'About to sleep', '休眠予備群'),
            ('rfm', 'at_risk', 8, 'At risk', '離脱懸念顧客'),
            ('rfm', 'cannot_lose', 9, 'Cannot lose them', '失えない顧客'),
            ('rfm', 'hibernating', 10, 'Hibernating', '休眠顧客'),
            ('rfm', 'lost', 11, 'Lost', '離反顧客'),

            ('ltv_decile', '1', 1, 'Decile 1, highest value', '第1十分位（最高）'),
            ('ltv_decile', '2', 2, 'Decile 2', '第2十分位'),
            ('ltv_decile', '3', 3, 'Decile 3', '第3十分位'),
            ('ltv_decile', '4', 4, 'Decile 4', '第4十分位'),
            ('ltv_decile', '5', 5, 'Decile 5', '第5十分位'),
            ('ltv_decile', '6', 6, 'Decile 6', '第6十分位'),
            ('ltv_decile', '7', 7, 'Decile 7', '第7十分位'),
            ('ltv_decile', '8', 8, 'Decile 8', '第8十分位'),
            ('ltv_decile', '9', 9, 'Decile 9', '第9十分位'),
            ('ltv_decile', '10', 10, 'Decile 10, lowest value', '第10十分位（最低）'),

            ('loyalty_tier', 'platinum', 1, 'Platinum', 'プラチナ'),
            ('loyalty_tier', 'gold', 2, 'Gold', 'ゴールド'),
            ('loyalty_tier', 'silver', 3, 'Silver', 'シルバー'),
            ('loyalty_tier', 'bronze', 4, 'Bronze', 'ブロンズ'),
            ('loyalty_tier', 'unscored', 5, 'Not scored', '評価なし'),

            ('purchase_stage', 'active', 1, 'Active', '継続'),
            ('purchase_stage', 'returned', 2, 'Returned', '復帰'),
            ('purchase_stage', 'new', 3, 'New', '新規'),
            ('purchase_stage', 'at_risk', 4, 'At risk', '離脱懸念'),
            ('purchase_stage', 'lapsed', 5, 'Lapsed', '離脱'),
            ('purchase_stage', 'unknown', 6, 'Unknown', '不明'),

            ('cpm', 'prime_current', 1, 'Prime, current', '優良現役客'),
            ('cpm', 'trendy_current', 2, 'Trendy, current', '流行現役客'),
            ('cpm', 'steady_current', 3, 'Steady, current', 'コツコツ現役客'),
            ('cpm', 'toddling_current', 4, 'Toddling, current', 'よちよち現役客'),
            ('cpm', 'first_time_current', 5, 'First-time, current', '初回現役客'),
            ('cpm', 'prime_lapsed', 6, 'Prime, lapsed', '優良離脱客'),
            ('cpm', 'trendy_lapsed', 7, 'Trendy, lapsed', '流行離脱客'),
            ('cpm', 'steady_lapsed', 8, 'Steady, lapsed', 'コツコツ離脱客'),
            ('cpm', 'toddling_lapsed', 9, 'Toddling, lapsed', 'よちよち離脱客'),
            ('cpm', 'first_time_lapsed', 10, 'First-time, lapsed', '初回離脱客')
    ) as labels (scheme, segment, segment_rank, label_en, label_ja)

)

select
    ---------- ids
    cast(scheme as varchar) as scheme,
    cast(segment as varchar) as segment,

    ---------- text
    cast(label_en as varchar) as label_en,
    cast(label_ja as varchar) as label_ja,

    ---------- numerics
    cast(segment_rank as int) as segment_rank  -- 1 is the best

from labels
